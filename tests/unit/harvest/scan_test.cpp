// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/random.h>
#include <momap/data/opencv.h>
#include <momap/harvest/scan.h>

#include <cmath>
#include <filesystem>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

namespace momap {
namespace {

constexpr int kWidth = 160, kHeight = 120;

// Frame t of a place: its own colours, a disc that moves, a camera that pans, film grain.
at::Tensor frame(int place, int t, double gain = 1) {
  cv::Mat rgb(kHeight, kWidth, CV_8UC3);
  Random colours(static_cast<uint64_t>(place));
  double base[3], wave[3];
  for (int c = 0; c < 3; ++c) {
    base[c] = 60 + 140 * colours.uniform();
    wave[c] = 5 + 20 * colours.uniform();
  }
  Random grain(static_cast<uint64_t>(1000 * place + t));
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const double stripes = std::sin((x + 1.5 * t) / wave[0]) * std::cos(y / wave[1]);
      for (int c = 0; c < 3; ++c) {
        rgb.at<cv::Vec3b>(y, x)[c] =
            cv::saturate_cast<uint8_t>(gain * (base[c] + 35 * stripes + 3 * grain.normal()));
      }
    }
  }
  cv::circle(rgb, {20 + 3 * t % 120, 60}, 12, {250, 240, 20}, cv::FILLED);
  return to_tensor(rgb);
}

std::vector<int64_t> cuts_of(const std::vector<at::Tensor>& frames) {
  VideoScan scan({.frames = 8});
  for (const auto& image : frames) scan.add(image);
  scan.finish();
  return scan.cuts();
}

TEST(VideoScan, FindsEveryCutAndNothingElse) {
  std::vector<at::Tensor> frames;
  std::vector<int64_t> expected;
  for (int place = 0; place < 12; ++place) {
    if (place > 0) expected.push_back(static_cast<int64_t>(frames.size()));
    for (int t = 0; t < 10 + 7 * (place % 3); ++t) frames.push_back(frame(place, t));
  }
  EXPECT_EQ(cuts_of(frames), expected);
}

TEST(VideoScan, AFlashIsNoCut) {
  std::vector<at::Tensor> frames;
  for (int t = 0; t < 30; ++t) frames.push_back(frame(1, t, t == 15 ? 2.5 : 1));
  EXPECT_TRUE(cuts_of(frames).empty());
}

TEST(VideoScan, LightThatFadesIsNoCut) {
  std::vector<at::Tensor> frames;
  for (int t = 0; t < 40; ++t) frames.push_back(frame(2, t, 1 - 0.02 * t));
  EXPECT_TRUE(cuts_of(frames).empty());
}

TEST(VideoScan, ClipsStayInsideTheirShot) {
  VideoScan scan({.frames = 8, .min_motion = 0});
  for (int t = 0; t < 20; ++t) scan.add(frame(1, t));
  for (int t = 0; t < 17; ++t) scan.add(frame(5, t));
  const auto clips = scan.finish();
  ASSERT_EQ(scan.cuts(), std::vector<int64_t>{20});
  std::vector<int64_t> first;
  for (const auto& clip : clips) first.push_back(clip.first);
  EXPECT_EQ(first, (std::vector<int64_t>{0, 8, 20, 28}));
  EXPECT_EQ(clips[3].shot, 1);
}

TEST(VideoScan, StrideSpreadsAClip) {
  VideoScan scan({.frames = 4, .stride = 3, .min_motion = 0});
  for (int t = 0; t < 21; ++t) scan.add(frame(1, t));
  const auto clips = scan.finish();  // a clip spans 10 frames
  ASSERT_EQ(clips.size(), 2u);
  EXPECT_EQ(clips[1].first, 10);
}

TEST(VideoScan, ChoosesByMotion) {
  VideoScan scan({.frames = 8, .min_motion = 0.0005, .max_clips = 1});
  const at::Tensor still = frame(1, 0);
  for (int t = 0; t < 8; ++t) scan.add(still);
  for (int t = 0; t < 16; ++t) scan.add(frame(1, t));
  const auto clips = scan.finish();
  ASSERT_EQ(clips.size(), 3u);
  EXPECT_EQ(clips[0].drop, "min_motion");
  EXPECT_EQ(clips[0].motion, 0);
  const bool second_kept = clips[1].drop.empty();
  EXPECT_NE(second_kept, clips[2].drop.empty());
  EXPECT_GE(clips[second_kept ? 1 : 2].motion, clips[second_kept ? 2 : 1].motion);
}

TEST(VideoScan, ARealVideoWithoutCutsHasNone) {
  const std::filesystem::path path = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent (apt install opencv-doc)";
  cv::VideoCapture video(path.string());
  VideoScan scan({.frames = 24});
  DuplicateIndex index(6);
  cv::Mat bgr, small, rgb;
  int64_t count = 0;
  while (video.read(bgr)) {
    cv::resize(bgr, small, {160, 120}, 0, 0, cv::INTER_AREA);
    cv::cvtColor(small, rgb, cv::COLOR_BGR2RGB);
    scan.add(to_tensor(rgb));
    ++count;
  }
  const auto clips = scan.finish();
  EXPECT_TRUE(scan.cuts().empty());
  EXPECT_EQ(static_cast<int64_t>(clips.size()), count / 24);
  // One place with different people: not duplicates of each other.
  int64_t kept = 0;
  for (const auto& clip : clips) kept += index.find_or_add(clip.signature) < 0 ? 1 : 0;
  EXPECT_GE(kept, static_cast<int64_t>(clips.size()) * 9 / 10);
}

Signature signature_of(int place, double gain, int blur) {
  VideoScan scan({.frames = 8, .min_motion = 0});
  for (int t = 0; t < 8; ++t) {
    at::Tensor image = frame(place, t, gain);
    if (blur > 0) {
      cv::Mat blurred;
      cv::GaussianBlur(as_mat(image), blurred, {blur, blur}, 0);
      image = to_tensor(blurred);
    }
    scan.add(image);
  }
  return scan.finish().at(0).signature;
}

TEST(DuplicateIndex, FindsTheSameClipDarkerAndBlurredAndNoOther) {
  DuplicateIndex index(5);
  for (int place = 0; place < 8; ++place) {
    ASSERT_EQ(index.find_or_add(signature_of(place, 1, 0)), -1) << place;
  }
  for (int place = 0; place < 8; ++place) {
    EXPECT_EQ(index.find_or_add(signature_of(place, 0.9, 3)), place);
  }
}

TEST(DuplicateIndex, CountsBitsOfEachHash) {
  DuplicateIndex index(2);
  const Signature first{0x1234, 0xff00, 7, 1};
  EXPECT_EQ(index.find_or_add(first), -1);
  EXPECT_EQ(index.find_or_add({0x1234 ^ 3, 0xff00 ^ 5, 7, 1}), 0);
  EXPECT_EQ(index.find_or_add({0x1234, 0xff00, 7 ^ 0x38, 1}), -1);
  DuplicateIndex none(-1);
  EXPECT_EQ(none.find_or_add(first), -1);
  EXPECT_EQ(none.find_or_add(first), -1);
}

}  // namespace
}  // namespace momap
