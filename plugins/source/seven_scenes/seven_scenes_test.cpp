// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include "formats/fixtures.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::refusal;
using momap::testing::sample;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/seven_scenes", "{path: \"" + path.string() + "\"" + more + "}");
}

class SevenScenesTest : public ::testing::Test {
 protected:
  SevenScenesTest() {
    for (const auto& sequence : {"chess/seq-01", "chess/seq-02"}) {
      for (int t = 0; t < 3; ++t) {
        const fs::path stem = folder_.path() / sequence / ("frame-00000" + std::to_string(t));
        momap::testing::write_image(stem.string() + ".color.png",
                                    momap::testing::numbered_frame(6, 4, t));
        cv::Mat depth(4, 6, CV_16UC1, cv::Scalar(1500));
        depth.at<uint16_t>(0, 0) = 65535;
        depth.at<uint16_t>(0, 1) = 0;
        momap::testing::write_image(stem.string() + ".depth.png", depth);
        momap::testing::write(stem.string() + ".pose.txt",
                              "0 -1 0 " + std::to_string(t) + "\n1 0 0 2\n0 0 1 3\n0 0 0 1\n");
      }
    }
  }
  momap::TemporaryFolder folder_;
};

TEST_F(SevenScenesTest, ReadsDepthPoseAndTheDataSetsCamera) {
  const auto plugin = source(folder_.path(), ", frames: 2, stride: 2");
  ASSERT_EQ(plugin->size(), 2);
  EXPECT_EQ(plugin->name(1), "chess_seq-02_000000");
  const momap::Clip clip = sample(*plugin, 1);
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{0, 2}));
  EXPECT_EQ(clip.fps, 15);
  EXPECT_EQ(*clip.camera, (momap::Camera{585, 585, 320, 240, 6, 4}));
  const float* depth = clip.depth->data_ptr<float>();
  EXPECT_EQ(depth[0], 0);
  EXPECT_EQ(depth[1], 0);
  EXPECT_EQ(depth[2], 1.5f);
  // The file holds camera to world, a quarter turn about z: the world's (2, 3, 3) lies at (1, 0, 0)
  // of the last camera, which stands at (2, 2, 3).
  const double* m = clip.cam_from_world->data_ptr<double>() + 16;
  EXPECT_NEAR(m[0] * 2 + m[1] * 3 + m[2] * 3 + m[3], 1, 1e-12);
  EXPECT_NEAR(m[4] * 2 + m[5] * 3 + m[6] * 3 + m[7], 0, 1e-12);
}

TEST_F(SevenScenesTest, ReadsOneSequenceAndItsOwnIntrinsics) {
  const fs::path sequence = folder_.path() / "chess/seq-01";
  momap::testing::write(sequence / "camera-intrinsics.txt", "500 0 3 0 501 2 0 0 1");
  const auto plugin = source(sequence, ", frames: 3");
  ASSERT_EQ(plugin->size(), 1);
  EXPECT_EQ(plugin->name(0), "seq-01_000000");
  EXPECT_EQ(*sample(*plugin).camera, (momap::Camera{500, 501, 3, 2, 6, 4}));
}

TEST_F(SevenScenesTest, NamesBadAndMissingFiles) {
  const fs::path stem = folder_.path() / "chess/seq-01/frame-000001";
  const auto says = [&] {
    return refusal<momap::DataError>([&] { sample(*source(folder_.path(), ", frames: 3")); });
  };
  momap::testing::write(stem.string() + ".pose.txt", "1 2 3");
  EXPECT_NE(says().find("frame-000001.pose.txt: holds 3 numbers; expected 16"), std::string::npos);
  momap::testing::write(stem.string() + ".pose.txt", "2 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1");
  EXPECT_NE(says().find("not a rigid motion"), std::string::npos);
  fs::remove(stem.string() + ".pose.txt");
  EXPECT_NE(says().find("frame-000001.pose.txt: the file is missing"), std::string::npos);
}

// Beside the sample: frame i to j, median depth residual 3 to 12 mm.
TEST(SevenScenes, DepthAndPosesAgreeOnRealFrames) {
  const fs::path folder = momap::testing::shared_folder() / "data/rgbd_7scenes";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const momap::Clip clip = sample(*source(folder, ", frames: 5, stride: 5"), 0);
  for (int64_t t = 1; t < 5; ++t) {
    EXPECT_LT(momap::testing::depth_residual(clip, 0, t), 0.012) << "metres, frame " << 5 * t;
  }
}

}  // namespace
