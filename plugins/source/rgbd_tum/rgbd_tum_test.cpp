// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>

#include "formats/fixtures.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::refusal;
using momap::testing::sample;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/rgbd_tum", "{path: \"" + path.string() + "\"" + more + "}");
}

// Colour at 0.0, 0.1 ... s; depth 10 ms later; poses each 50 ms; the depth of 0.2 s is missing.
class TumTest : public ::testing::Test {
 protected:
  TumTest() : sequence_(folder_.path() / "rgbd_dataset_freiburg3_desk") {
    std::string rgb = "# color images\n", depth, poses = "# timestamp tx ty tz qx qy qz qw\n";
    for (int t = 0; t < 5; ++t) {
      const auto stem = std::to_string(t) + ".png";
      rgb += "0." + std::to_string(t) + " rgb/" + stem + "\n";
      if (t != 2) depth += "0." + std::to_string(t) + "1 depth/" + stem + "\n";
      momap::testing::write_image(sequence_ / "rgb" / stem,
                                  momap::testing::numbered_frame(40, 30, t));
      momap::testing::write_image(sequence_ / "depth" / stem,
                                  cv::Mat(30, 40, CV_16UC1, cv::Scalar(5000 * (t + 1))));
    }
    for (int i = 0; i < 10; ++i) {
      poses += "0." + std::to_string(i / 2) + (i % 2 ? "5" : "0") + " " + std::to_string(i) +
               " 0 0 0 0 0.7071068 0.7071068\n";
    }
    momap::testing::write(sequence_ / "rgb.txt", rgb);
    momap::testing::write(sequence_ / "depth.txt", depth);
    momap::testing::write(sequence_ / "groundtruth.txt", poses);
  }
  momap::TemporaryFolder folder_;
  fs::path sequence_;
};

TEST_F(TumTest, PutsTogetherWhatIsNearestInTime) {
  const auto plugin = source(folder_.path(), ", frames: 4");
  ASSERT_EQ(plugin->size(), 1);
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{0, 1, 3, 4}));
  for (int64_t t = 0; t < 4; ++t) {
    const int number = momap::testing::numbers_of(clip)[static_cast<size_t>(t)];
    EXPECT_EQ((*clip.depth)[t].data_ptr<float>()[0], static_cast<float>(number + 1));
    // Camera to world: at x = 2 * number, turned by a quarter about z.
    const double* m = clip.cam_from_world->data_ptr<double>() + 16 * t;
    EXPECT_NEAR(m[0] * 2 * number + m[3], 0, 1e-6) << "the camera's centre";
    EXPECT_NEAR(m[1], 1, 1e-6);
    EXPECT_NEAR(m[4], -1, 1e-6);
  }
  EXPECT_NEAR(clip.fps, 3 / 0.4, 1e-9);
  EXPECT_EQ(*clip.camera, (momap::Camera{535.4, 539.2, 320.1, 247.6, 40, 30}));
  EXPECT_EQ(source(sequence_, ", frames: 2")->size(), 2) << "one sequence's own folder";
}

TEST_F(TumTest, UndistortsWithTheGivenCalibration) {
  // Strong barrel distortion; the principal point stays, the edges come from further inside.
  const momap::Clip clip = sample(
      *source(folder_.path(), ", frames: 1, intrinsics: [20, 20, 20, 15, -0.2, 0, 0, 0, 0]"));
  const uint8_t* centre = clip.frames.data_ptr<uint8_t>() + (15 * 40 + 20) * 3;
  EXPECT_EQ(centre[0], 20);
  EXPECT_EQ(centre[1], 15);
  // x = (35 - 20) / 20 = 0.75: the image has it at 0.75 * (1 - 0.2 * 0.5625) * 20 + 20 = 33.3.
  EXPECT_NEAR(clip.frames.data_ptr<uint8_t>()[(15 * 40 + 35) * 3], 33.3, 0.7);
}

TEST_F(TumTest, AsksForACalibrationItDoesNotKnow) {
  fs::rename(sequence_, folder_.path() / "kitchen");
  EXPECT_NE(refusal<momap::ConfigError>([&] {
              sample(*source(folder_.path(), ", frames: 1"));
            }).find("set intrinsics: [fx, fy, cx, cy]"),
            std::string::npos);
  EXPECT_NE(refusal<momap::ConfigError>([&] {
              source(folder_.path(), ", intrinsics: [1, 2, 3]");
            }).find("expected 4 or 9"),
            std::string::npos);
  fs::rename(folder_.path() / "kitchen", folder_.path() / "rgbd_bonn_balloon");
  EXPECT_FALSE(sample(*source(folder_.path(), ", frames: 1")).cam_from_world)
      << "Bonn's poses are of the markers and not of the camera";
}

TEST_F(TumTest, NamesBadListsAndFiles) {
  const auto says = [&] {
    return refusal<momap::DataError>([&] { sample(*source(folder_.path(), ", frames: 1")); });
  };
  const auto with = [&](const std::string& list, const std::string& text) {
    const std::string before = momap::read_file(sequence_ / list);
    momap::testing::write(sequence_ / list, text);
    const auto message = says();
    momap::testing::write(sequence_ / list, before);
    return message;
  };
  EXPECT_NE(with("rgb.txt", "0.0 rgb/0.png\nx y\n").find("rgb.txt:2"), std::string::npos);
  EXPECT_NE(with("rgb.txt", "# nothing\n").find("has no entry"), std::string::npos);
  EXPECT_NE(with("rgb.txt", "0.0 ../../secret.png\n").find("outside"), std::string::npos);
  EXPECT_NE(with("groundtruth.txt", "0.0 1 2 3\n").find("expected tx ty tz qx qy qz qw"),
            std::string::npos);
  EXPECT_NE(with("groundtruth.txt", "0.0 0 0 0 0 0 0 2\n").find("unit quaternion"),
            std::string::npos);
  fs::remove(sequence_ / "depth/0.png");
  EXPECT_NE(says().find("0.png: the file is missing"), std::string::npos);
  fs::remove(sequence_ / "depth.txt");
  EXPECT_NE(says().find("depth.txt: the file is missing"), std::string::npos);
}

TEST(RgbdTum, DepthAndPosesAgree) {
  const fs::path folder = momap::testing::shared_folder() / "data/format_fixtures_derived/tum";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const auto plugin = source(folder, ", frames: 3, intrinsics: [292.5, 292.5, 160, 120]");
  const momap::Clip clip = sample(*plugin);
  EXPECT_LT(momap::testing::depth_residual(clip, 0, 1), 0.012) << "metres";
  EXPECT_LT(momap::testing::depth_residual(clip, 0, 2), 0.012) << "metres";
}

}  // namespace
