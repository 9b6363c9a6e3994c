// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/datum.h>
#include <momap/stage/source.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <vector>

#include "plugin_fixture.h"

namespace {

namespace fs = std::filesystem;

constexpr int kFrames = 600, kWidth = 160, kHeight = 96, kBits = 10;

// The frame number as black and white bars, one for each bit, that survive compression.
cv::Mat numbered(int number, int width = kWidth, int height = kHeight) {
  cv::Mat frame(height, width, CV_8UC3, cv::Scalar::all(0));
  for (int bit = 0; bit < kBits; ++bit) {
    if (number >> bit & 1) {
      const int x0 = bit * width / kBits, x1 = (bit + 1) * width / kBits;
      cv::rectangle(frame, {x0, 0}, {x1 - 1, height - 1}, cv::Scalar::all(255), cv::FILLED);
    }
  }
  return frame;
}

int number_of(const at::Tensor& frame) {  // u8 [H, W, 3]
  const int64_t width = frame.size(1);
  const uint8_t* row = frame.data_ptr<uint8_t>() + frame.size(0) / 2 * width * 3;
  int number = 0;
  for (int bit = 0; bit < kBits; ++bit) {
    if (row[3 * ((2 * bit + 1) * width / (2 * kBits))] > 127) number |= 1 << bit;
  }
  return number;
}

std::vector<int> numbers_of(const momap::Clip& clip) {
  std::vector<int> numbers;
  for (int64_t t = 0; t < clip.length(); ++t) numbers.push_back(number_of(clip.frames[t]));
  return numbers;
}

void write_video(const fs::path& path, int frames, int width = kWidth, int height = kHeight) {
  cv::VideoWriter writer(path.string(), cv::CAP_FFMPEG, cv::VideoWriter::fourcc('m', 'p', '4', 'v'),
                         25, {width, height});
  ASSERT_TRUE(writer.isOpened());
  for (int i = 0; i < frames; ++i) writer.write(numbered(i, width, height));
}

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/video", "{path: \"" + path.string() + "\"" + more + "}");
}

momap::Clip sample(momap::Source& plugin, int64_t i) {
  momap::Clip clip = plugin.sample(i, momap::testing::context());
  momap::check(clip, "source/video");
  return clip;
}

template <class Error>
std::string refusal(momap::Source& plugin, int64_t i = 0) {
  try {
    plugin.size();
    plugin.sample(i, momap::testing::context());
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  double total = 0, resident = 0;
  in >> total >> resident;
  return resident * 4096 / (1 << 20);
}

class VideoSourceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<momap::TemporaryFolder>();
    write_video(video(), kFrames);
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static fs::path video() { return folder_->path() / "a numbered \xC3\xA9 video.mp4"; }
  static fs::path file(const std::string& name) { return folder_->path() / name; }
  static std::unique_ptr<momap::TemporaryFolder> folder_;
};
std::unique_ptr<momap::TemporaryFolder> VideoSourceTest::folder_;

TEST_F(VideoSourceTest, CutsTheVideoIntoClips) {
  const auto plugin = source(video(), ", frames: 7, caption: \"bars\"");
  ASSERT_EQ(plugin->size(), kFrames / 7);
  for (int64_t i = 0; i < plugin->size(); ++i) {
    const momap::Clip clip = sample(*plugin, i);
    std::vector<int> expected;
    for (int k = 0; k < 7; ++k) expected.push_back(static_cast<int>(i) * 7 + k);
    ASSERT_EQ(numbers_of(clip), expected);
  }
  const momap::Clip clip = sample(*plugin, 3);
  EXPECT_EQ(clip.fps, 25);
  EXPECT_EQ(clip.caption, "bars");
  EXPECT_EQ(clip.width(), kWidth);
  EXPECT_NEAR(clip.camera->fx, kWidth / 2 / std::tan(M_PI / 6), 1e-9);
  EXPECT_EQ(plugin->name(3), "a_numbered____video_000021");
}

TEST_F(VideoSourceTest, HonoursStrideHopStartAndClips) {
  for (const int hop : {1, 3, 5, 40}) {
    const auto plugin =
        source(video(), ", frames: 6, stride: 4, start: 11, clips: 9, hop: " + std::to_string(hop));
    ASSERT_EQ(plugin->size(), 9);
    for (int i = 0; i < 9; ++i) {
      const momap::Clip clip = sample(*plugin, i);
      std::vector<int> expected;
      for (int k = 0; k < 6; ++k) expected.push_back(11 + i * hop + 4 * k);
      ASSERT_EQ(numbers_of(clip), expected) << "hop " << hop << ", clip " << i;
      EXPECT_EQ(clip.fps, 25.0 / 4);
    }
  }
}

TEST_F(VideoSourceTest, UsesTheLastFrameAndNoMore) {
  EXPECT_EQ(source(video(), ", frames: 600")->size(), 1);
  EXPECT_EQ(source(video(), ", frames: 300, hop: 1")->size(), 301);
  EXPECT_EQ(source(video(), ", frames: 2, stride: 599")->size(), 1);
  const auto plugin = source(video(), ", frames: 601");
  EXPECT_NE(refusal<momap::DataError>(*plugin).find("has 600 frames"), std::string::npos);
  const auto last = source(video(), ", frames: 10, hop: 590");
  EXPECT_EQ(numbers_of(sample(*last, 1)).back(), 599);
}

TEST_F(VideoSourceTest, AnswersTheSameInAnyOrder) {
  const auto in_order = source(video(), ", frames: 5, hop: 3, stride: 2");
  std::vector<at::Tensor> clips;
  for (int i = 0; i < 40; ++i) clips.push_back(sample(*in_order, i).frames);
  const auto jumping = source(video(), ", frames: 5, hop: 3, stride: 2");
  for (const int i : {17, 3, 39, 4, 4, 0, 20, 19, 1}) {
    EXPECT_TRUE(sample(*jumping, i).frames.equal(clips[static_cast<size_t>(i)])) << i;
  }
}

TEST_F(VideoSourceTest, ShrinksWideFrames) {
  const momap::Clip clip = sample(*source(video(), ", frames: 2, width: 80"), 50);
  EXPECT_EQ(clip.width(), 80);
  EXPECT_EQ(clip.height(), 48);
  EXPECT_EQ(clip.camera->width, 80);
  EXPECT_EQ(numbers_of(clip), (std::vector<int>{100, 101}));
}

TEST_F(VideoSourceTest, HoldsOnlyOneClipInMemory) {
  const fs::path path = file("large.mp4");
  write_video(path, kFrames, 640, 360);
  const auto plugin = source(path, ", frames: 8, hop: 4");
  for (int i = 0; i < 10; ++i) sample(*plugin, i);
  const double before = resident_mib();
  for (int i = 10; i < plugin->size(); ++i) sample(*plugin, i);
  // 560 further frames take 369 MiB.
  EXPECT_LT(resident_mib() - before, 30);
}

TEST_F(VideoSourceTest, RefusesClipsThatDoNotFitIntoMemoryBeforeDecoding) {
  const std::string limit = ", frames: 600, max_clip_gib: 0.02";  // 600 x 160 x 96 px: 0.0257 GiB
  const std::string said = refusal<momap::DataError>(*source(video(), limit));
  EXPECT_NE(said.find("600 frames of 160 x 96 px"), std::string::npos) << said;
  EXPECT_NE(said.find("lower width to 141 or frames to 466"), std::string::npos) << said;
  EXPECT_EQ(sample(*source(video(), limit + ", width: 141"), 0).length(), 600);
}

TEST_F(VideoSourceTest, SaysWhatIsWrongWithAFile) {
  EXPECT_NE(refusal<momap::ConfigError>(*source(file("no.mp4"))).find("no such file"),
            std::string::npos);
  EXPECT_NE(refusal<momap::ConfigError>(*source(folder_->path())).find("not a regular file"),
            std::string::npos);
  std::ofstream(file("empty.mp4"));
  EXPECT_NE(refusal<momap::DataError>(*source(file("empty.mp4"))).find("0 bytes"),
            std::string::npos);
  std::ofstream(file("text.mp4")) << std::string(5000, 'x');
  EXPECT_NE(refusal<momap::DataError>(*source(file("text.mp4"))).find("cannot be opened"),
            std::string::npos);
  const std::string whole = momap::read_file(video());
  std::ofstream(file("cut.mp4"), std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_NE(refusal<momap::DataError>(*source(file("cut.mp4"))).find("truncated"),
            std::string::npos);
}

TEST_F(VideoSourceTest, TellsClaimedAndFoundFramesOfATruncatedFile) {
  // An AVI has its header in front: it opens, and ends early.
  const fs::path path = file("a.avi");
  {
    cv::VideoWriter writer(path.string(), cv::CAP_FFMPEG,
                           cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 25, {kWidth, kHeight});
    for (int i = 0; i < 100; ++i) writer.write(numbered(i));
  }
  const std::string whole = momap::read_file(path);
  std::ofstream(file("cut.avi"), std::ios::binary) << whole.substr(0, whole.size() / 2);
  const auto plugin = source(file("cut.avi"), ", frames: 10");
  ASSERT_EQ(plugin->size(), 10);
  EXPECT_EQ(numbers_of(sample(*plugin, 2)).front(), 20) << "what is there is read";
  for (int again = 0; again < 2; ++again) {
    const std::string message = refusal<momap::DataError>(*plugin, 9);
    EXPECT_NE(message.find("claims 100 frames"), std::string::npos) << message;
    EXPECT_NE(message.find("truncated file?"), std::string::npos) << message;
  }
  EXPECT_EQ(numbers_of(sample(*plugin, 0)).front(), 0) << "and goes on being read";
}

TEST_F(VideoSourceTest, FingerprintsDifferByClipAndContent) {
  const auto plugin = source(video(), ", frames: 5");
  EXPECT_NE(plugin->fingerprint(0), plugin->fingerprint(1));
  EXPECT_EQ(plugin->fingerprint(4), source(video(), ", frames: 5")->fingerprint(4));
}

}  // namespace
