// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <scenes.h>
#include <sched.h>
#include <sys/resource.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

namespace {

namespace fs = std::filesystem;

fs::path write(const momap::Datum& value, const fs::path& stem, const std::string& params = "{}",
               const momap::Datum* image = nullptr, const momap::Datum* reference = nullptr) {
  const auto optional = [](const momap::Datum* datum) {
    return datum ? std::vector{datum} : std::vector<const momap::Datum*>{};
  };
  momap::Inputs inputs;
  inputs.add("value", {&value});
  inputs.add("image", optional(image));
  inputs.add("reference", optional(reference));
  return momap::testing::make_plugin<momap::Output>("output/video", params)
      ->write(inputs, stem, momap::testing::context());
}

int64_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), {});
}

/// What a program prints.
std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 256> buffer{};
  FILE* pipe = ::popen(command.c_str(), "r");
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe)) text += buffer.data();
  if (pipe) ::pclose(pipe);
  return text;
}

momap::Clip noisy_clip(int64_t frames, int64_t height, int64_t width) {
  momap::Clip clip;
  clip.frames = at::empty({frames, height, width, 3}, at::kByte);
  uint32_t state = 5;
  for (int64_t i = 0; i < clip.frames.numel(); ++i) {
    clip.frames.data_ptr<uint8_t>()[i] =
        static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  }
  return clip;
}

TEST(VideoOutput, ShowsValueReferenceAndDifferenceSideBySide) {
  const momap::TemporaryFolder folder;
  momap::Clip clip, truth;
  clip.frames = at::full({3, 32, 48, 3}, 100, at::kByte);
  truth.frames = at::full({3, 32, 48, 3}, 60, at::kByte);
  const momap::Datum value = clip, reference = truth;
  const fs::path path = write(value, folder.path() / "v", "{format: avi}", nullptr, &reference);
  cv::VideoCapture video(path.string());
  cv::Mat frame;
  for (int t = 0; t < 3; ++t) ASSERT_TRUE(video.read(frame));
  ASSERT_EQ(frame.size(), cv::Size(144, 32));
  const auto level = [&](int x) { return cv::mean(frame(cv::Rect(x, 8, 16, 16)))[1]; };
  EXPECT_NEAR(level(16), 100, 3);
  EXPECT_NEAR(level(64), 60, 3);
  EXPECT_NEAR(level(112), 148, 3);
}

TEST(VideoOutput, RefusesAReferenceOfAnotherSizeOrLength) {
  const momap::TemporaryFolder folder;
  const momap::Datum value = noisy_clip(3, 32, 48);
  for (const momap::Datum& reference :
       {momap::Datum(noisy_clip(3, 32, 50)), momap::Datum(noisy_clip(2, 32, 48))}) {
    EXPECT_THROW(write(value, folder.path() / "v", "{}", nullptr, &reference), momap::DataError);
  }
  EXPECT_EQ(files_in(folder.path()), 0);
}

TEST(VideoOutput, ComesBackFrameByFrame) {
  const momap::TemporaryFolder folder;
  momap::testing::SceneOptions options;
  options.width = 127;  // odd: one column is added
  options.height = 95;
  const momap::Clip clip = momap::testing::moving_square(options);
  for (const char* format : {"mp4", "avi"}) {
    const fs::path path =
        write(clip, folder.path() / "clip.v1", fmt::format("{{format: {}}}", format));
    EXPECT_EQ(path.filename(), std::string("clip.v1.") + format);
    cv::VideoCapture capture(path.string(), cv::CAP_FFMPEG);
    EXPECT_NEAR(capture.get(cv::CAP_PROP_FPS), 10.0, 1e-3);
    cv::Mat frame;
    for (int64_t t = 0; t < clip.length(); ++t) {
      ASSERT_TRUE(capture.read(frame)) << "frame " << t;
      ASSERT_EQ(frame.size(), cv::Size(128, 96));
      cv::cvtColor(frame, frame, cv::COLOR_BGR2RGB);
      const cv::Mat original(95, 127, CV_8UC3, clip.frames[t].data_ptr());
      EXPECT_LT(cv::norm(frame(cv::Rect(0, 0, 127, 95)), original, cv::NORM_L1) / (95 * 127 * 3),
                5.0);
    }
    EXPECT_FALSE(capture.read(frame));
  }
  EXPECT_EQ(files_in(folder.path()), 2);
}

TEST(VideoOutput, WritesMovingPictures) {
  const momap::TemporaryFolder folder;
  momap::testing::SceneOptions options;
  options.width = 61;  // odd sizes stay
  options.height = 47;
  const momap::Clip clip = momap::testing::moving_square(options);
  for (const auto& [format, most] : {std::pair{"webp", 6.0}, {"gif", 24.0}}) {
    const fs::path path =
        write(clip, folder.path() / "clip", fmt::format("{{format: {}}}", format));
    const std::string bytes = momap::read_file(path);
    EXPECT_EQ(bytes.substr(0, 4), std::string(format) == "webp" ? "RIFF" : "GIF8");
    if (std::string(format) == "webp") {
      EXPECT_NE(bytes.find("ANMF"), std::string::npos);
      continue;  // FFmpeg reads no animated WebP
    }
    cv::VideoCapture capture(path.string(), cv::CAP_FFMPEG);
    cv::Mat frame;
    int64_t t = 0;
    for (; capture.read(frame); ++t) {
      ASSERT_EQ(frame.size(), cv::Size(61, 47));
      cv::cvtColor(frame, frame, cv::COLOR_BGR2RGB);
      const cv::Mat original(47, 61, CV_8UC3, clip.frames[t].data_ptr());
      EXPECT_LT(cv::norm(frame, original, cv::NORM_L1) / (47 * 61 * 3), most) << t;
    }
    EXPECT_EQ(t, clip.length());
  }
}

TEST(VideoOutput, WritesPicturesOfAFewPixels) {
  const momap::TemporaryFolder folder;
  for (const auto& [height, width] : {std::pair{1, 1}, {7, 1}, {8, 2}, {1, 30}}) {
    const fs::path path = write(noisy_clip(5, height, width),
                                folder.path() / fmt::format("{}x{}", height, width), "{}");
    cv::VideoCapture capture(path.string(), cv::CAP_FFMPEG);
    cv::Mat frame;
    int frames = 0;
    for (; capture.read(frame); ++frames) EXPECT_GE(std::min(frame.rows, frame.cols), 16);
    EXPECT_EQ(frames, 5) << height << " x " << width;
  }
}

TEST(VideoOutput, IsWhatBrowsersPlay) {
  if (std::system("ffprobe -version > /dev/null 2>&1") != 0) GTEST_SKIP() << "ffprobe is missing";
  const momap::TemporaryFolder folder;
  const fs::path path = write(noisy_clip(5, 31, 33), folder.path() / "clip", "{fps: 12.5}");
  const std::string streams = output_of(
      "ffprobe -v error -show_entries "
      "stream=codec_name,pix_fmt,width,height,r_frame_rate,nb_frames "
      "-of default=noprint_wrappers=1 " +
      path.string());
  for (const char* expected : {"codec_name=h264\n", "pix_fmt=yuv420p\n", "width=34\n",
                               "height=32\n", "r_frame_rate=25/2\n", "nb_frames=5\n"}) {
    EXPECT_NE(streams.find(expected), std::string::npos) << expected << streams;
  }
}

TEST(VideoOutput, GivesTheSameBytesWhateverTheNumberOfProcessors) {
  const momap::TemporaryFolder folder;
  const momap::Clip clip = noisy_clip(12, 90, 120);
  const std::string many = momap::read_file(write(clip, folder.path() / "many"));
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before) && CPU_COUNT(&one) == 0) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const std::string single = momap::read_file(write(clip, folder.path() / "one"));
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_TRUE(many == single);
}

TEST(VideoOutput, GivesTheSameBytesTimeAfterTime) {
  const momap::TemporaryFolder folder;
  const momap::Datum clip = noisy_clip(6, 48, 192);
  for (const std::string params : {"{}", "{format: webp}", "{format: gif}"}) {
    const std::string first = momap::read_file(write(clip, folder.path() / "clip", params));
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(momap::read_file(write(clip, folder.path() / "clip", params)) == first)
          << params << ", time " << i;
    }
  }
}

TEST(VideoOutput, SaysNothingOnTheTerminal) {
  const momap::TemporaryFolder folder;
  testing::internal::CaptureStderr();
  write(noisy_clip(3, 32, 32), folder.path() / "clip");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(VideoOutput, DrawsGrowingPathsOverTheImage) {
  const momap::TemporaryFolder folder;
  momap::testing::SceneOptions options;
  options.square_speed_x = 0.05;
  const momap::Datum clip = momap::testing::moving_square(options);
  const momap::MoMap& map = std::get<momap::Clip>(clip).truth[0].motion;
  const fs::path path = write(map, folder.path() / "tracks", "{scale: 4}", &clip);
  cv::VideoCapture capture(path.string(), cv::CAP_FFMPEG);
  cv::Mat first, last, frame;
  int64_t frames = 0;
  while (capture.read(frame)) {
    if (frames++ == 0) frame.copyTo(first);
    frame.copyTo(last);
  }
  EXPECT_EQ(frames, options.frames);
  EXPECT_EQ(first.size(), cv::Size(512, 384));
  cv::Mat change;
  cv::absdiff(first, last, change);
  double most = 0;
  cv::minMaxLoc(change.reshape(1), nullptr, &most);
  EXPECT_GT(most, 80);  // a line where there was none
}

TEST(VideoOutput, WritesPartialClipsAndSingleFrames) {
  const momap::TemporaryFolder folder;
  const momap::PartialClip partial{at::full({1, 1, 1, 3}, 10, at::kByte),
                                   at::zeros({1, 1, 1}, at::kBool), at::ones({1, 1, 1}),
                                   at::zeros({1, momap::kDropReasons}, at::kLong), 0};
  for (const char* format : {"mp4", "webp", "gif", "avi"}) {
    EXPECT_GT(
        fs::file_size(write(partial, folder.path() / "one", fmt::format("{{format: {}}}", format))),
        0u);
  }
}

TEST(VideoOutput, LeavesNothingBehindWhenTheDiskIsFull) {
  const momap::TemporaryFolder folder;
  const momap::Clip clip = noisy_clip(20, 120, 160);
  // A limit on the size of a file stands for the full disk: writes beyond it fail.
  auto* before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const rlimit small{20000, unlimited.rlim_max};
  for (const char* format : {"mp4", "webp", "gif", "avi"}) {
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    std::string message;
    try {
      write(clip, folder.path() / "clip", fmt::format("{{format: {}}}", format));
    } catch (const momap::ConfigError& error) {
      message = error.what();
    }
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    EXPECT_NE(message.find("free some space"), std::string::npos) << format << ": " << message;
    EXPECT_EQ(files_in(folder.path()), 0);
  }
  std::signal(SIGXFSZ, before);
}

TEST(VideoOutput, SaysWhenTheFolderCannotBeWritten) {
  const momap::TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "not a folder";
  EXPECT_THROW(write(noisy_clip(2, 8, 8), folder.path() / "file" / "clip"), momap::ConfigError);
}

TEST(VideoOutput, RefusesAnImageOfAnotherSize) {
  const momap::TemporaryFolder folder;
  const momap::Datum image = noisy_clip(1, 8, 8);
  EXPECT_THROW(
      write(momap::testing::moving_square().truth[0].motion, folder.path() / "x", "{}", &image),
      momap::DataError);
  EXPECT_EQ(files_in(folder.path()), 0);
}

TEST(VideoOutput, WritesAFolderOfPicturesWithoutLoss) {
  const momap::TemporaryFolder folder;
  const momap::Clip clip = noisy_clip(3, 5, 7);
  const fs::path path = write(clip, folder.path() / "frames", "{format: png}");
  EXPECT_EQ(files_in(path), 3);
  EXPECT_EQ(files_in(folder.path()), 1);
  for (int64_t t = 0; t < 3; ++t) {
    const cv::Mat bgr = cv::imread((path / fmt::format("{:05}.png", t)).string());
    ASSERT_EQ(bgr.size(), cv::Size(7, 5));
    cv::Mat rgb;
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    EXPECT_EQ(std::memcmp(rgb.data, clip.frames[t].data_ptr<uint8_t>(), 3 * 5 * 7), 0) << t;
  }
  // What is there is not overwritten.
  EXPECT_THROW(write(clip, folder.path() / "frames", "{format: png}"), momap::ConfigError);
  momap::write_file(folder.path() / "file", "");
  EXPECT_THROW(write(clip, folder.path() / "file/frames", "{format: png}"), momap::ConfigError);
  EXPECT_EQ(files_in(folder.path()), 2);
}

}  // namespace
