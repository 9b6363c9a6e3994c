// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/stage/source.h>

#include <cmath>
#include <opencv2/videoio.hpp>

#include "plugin_fixture.h"

namespace momap {
namespace {

using testing::make_plugin;

// A lossless video whose frame i is of grey 4 * i.
void write_video(const std::filesystem::path& path, int frames) {
  cv::VideoWriter out(path.string(), cv::CAP_FFMPEG, cv::VideoWriter::fourcc('F', 'F', 'V', '1'),
                      25, {32, 16});
  ASSERT_TRUE(out.isOpened());
  for (int i = 0; i < frames; ++i) out.write(cv::Mat(16, 32, CV_8UC3, cv::Scalar::all(4 * i)));
}

class ClipListTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_video(folder_.path() / "a.avi", 30);
    write_video(folder_.path() / "b.avi", 12);
  }

  std::shared_ptr<Source> source(const std::string& list, const std::string& more = "") {
    write_file(folder_.path() / "clips.jsonl", list);
    return make_plugin<Source>("source/clips",
                               "{path: " + (folder_.path() / "clips.jsonl").string() + more + "}");
  }

  static int grey(const Clip& clip, int64_t t) { return clip.frames[t][8][16][1].item<int>(); }

  TemporaryFolder folder_;
};

TEST_F(ClipListTest, GivesTheFramesThatTheListNames) {
  const auto clips = source(
      "{\"id\": \"a_3\", \"video\": \"a.avi\", \"first\": 3, \"frames\": 4, \"stride\": 5, "
      "\"caption\": \"grey\"}\n"
      "{\"id\": \"b_0\", \"video\": \"b.avi\", \"first\": 0, \"frames\": 2}\n"
      "{\"id\": \"a_1\", \"video\": \"a.avi\", \"first\": 1, \"frames\": 2}\n",
      ", caption: none given");
  ASSERT_EQ(clips->size(), 3);
  const Clip first = clips->sample(0, {});
  EXPECT_EQ(first.length(), 4);
  for (int t = 0; t < 4; ++t) EXPECT_NEAR(grey(first, t), 4 * (3 + 5 * t), 2);
  EXPECT_DOUBLE_EQ(first.fps, 5);
  EXPECT_EQ(first.caption, "grey");
  EXPECT_NEAR(first.camera->fx, 16 / std::tan(M_PI / 6), 1e-9);
  EXPECT_EQ(clips->sample(1, {}).caption, "none given");
  EXPECT_NEAR(grey(clips->sample(2, {}), 1), 8, 2);  // back in a video that was left
  EXPECT_EQ(clips->name(2), "a_1");
}

TEST_F(ClipListTest, BadLinesAndShortVideosAreNamed) {
  const auto clips = source(
      "{\"id\": \"a\", \"video\": \"a.avi\", \"first\": 28, \"frames\": 4}\n"
      "not json\n"
      "{\"id\": \"../x\", \"video\": \"a.avi\", \"first\": 0, \"frames\": 4}\n"
      "{\"id\": \"a\", \"video\": \"a.avi\", \"first\": -1, \"frames\": 4}\n"
      "{\"id\": \"a\", \"video\": \"a.avi\", \"frames\": 4}");
  ASSERT_EQ(clips->size(), 5);
  for (int64_t i = 0; i < 5; ++i) EXPECT_THROW(clips->sample(i, {}), DataError) << i;
  EXPECT_THROW(clips->sample(5, {}), DataError);
}

TEST_F(ClipListTest, FingerprintsFollowTheVideosContentAndTheStretch) {
  const std::string line = "{\"id\": \"x\", \"video\": \"a.avi\", \"first\": 0, \"frames\": 4}\n";
  const std::string other = "{\"id\": \"y\", \"video\": \"a.avi\", \"first\": 1, \"frames\": 4}\n";
  const auto clips = source(line + other);
  const std::string before = clips->fingerprint(0);
  EXPECT_NE(before, clips->fingerprint(1));
  write_video(folder_.path() / "a.avi", 29);
  EXPECT_NE(source(line)->fingerprint(0), before);
}

}  // namespace
}  // namespace momap
