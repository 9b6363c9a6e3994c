// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>

#include "formats/fixtures.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::refusal;
using momap::testing::sample;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/movi", "{path: \"" + path.string() + "\"" + more + "}");
}

constexpr int kSize = 32;

// f = 35 / 32 * 32 = 35 px. The camera stands at (0, -3 - t, 0) and looks along +y, which is a
// quarter turn about x from looking along -z.
constexpr const char* kMetadata = R"({
  "camera": {"focal_length": 35, "sensor_width": 32,
             "positions": [[0, -3, 0], [0, -4, 0]],
             "quaternions": [[0.70710678, 0.70710678, 0, 0], [0.70710678, 0.70710678, 0, 0]]},
  "metadata": {"frame_rate": 12, "num_frames": 2}})";

class MoviTest : public ::testing::Test {
 protected:
  MoviTest() {
    for (int t = 0; t < 2; ++t) {
      const auto number = "0000" + std::to_string(t);
      momap::testing::write_image(at("rgba_" + number + ".png"),
                                  momap::testing::numbered_frame(kSize, kSize, t));
      momap::testing::write_image(at("depth_" + number + ".tiff"), distances(t));
      momap::testing::write_image(at("segmentation_" + number + ".png"),
                                  cv::Mat(kSize, kSize, CV_8UC1, cv::Scalar(5)));
      // -10 to 10: 2 rows down and 4 columns to the left.
      const auto stored = [](double value) { return std::lround((value + 10) / 20 * 65535); };
      momap::testing::write_image(
          at("forward_flow_" + number + ".png"),
          cv::Mat(kSize, kSize, CV_16UC3, cv::Scalar(0, stored(-4), stored(2))));
    }
    momap::testing::write(at("metadata.json"), kMetadata);
    momap::testing::write(at("data_ranges.json"), R"({"forward_flow": {"min": -10, "max": 10}})");
  }
  // Along the rays to a wall at y = 2: 5 + t metres in front of the camera; the first pixel is sky.
  static cv::Mat distances(int t) {
    cv::Mat distance(kSize, kSize, CV_32FC1);
    for (int y = 0; y < kSize; ++y) {
      for (int x = 0; x < kSize; ++x) {
        distance.at<float>(y, x) =
            static_cast<float>((5 + t) * std::hypot(1, (x - 15.5) / 35, (y - 15.5) / 35));
      }
    }
    distance.at<float>(0, 0) = 1e10f;
    return distance;
  }
  fs::path at(const std::string& name) const { return folder_.path() / "0001" / name; }
  momap::TemporaryFolder folder_;
};

TEST_F(MoviTest, TurnsRayDistanceAndBlendersAxesIntoOurs) {
  const auto plugin = source(folder_.path(), ", frames: 2");
  ASSERT_EQ(plugin->size(), 1);
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{0, 1}));
  EXPECT_EQ(clip.fps, 12);
  EXPECT_EQ(*clip.camera, (momap::Camera{35, 35, 15.5, 15.5, kSize, kSize}));
  EXPECT_EQ(clip.depth->data_ptr<float>()[0], 0) << "sky";
  for (const int64_t i : {1, 500, 1023}) {
    EXPECT_NEAR(clip.depth->data_ptr<float>()[i], 5, 1e-5);
    EXPECT_NEAR((*clip.depth)[1].data_ptr<float>()[i], 6, 1e-5);
  }
  // The world's point (1, 2, 3), z up: 1 to the right, 3 up and 5 in front of the first camera.
  const double* m = clip.cam_from_world->data_ptr<double>();
  EXPECT_NEAR(m[0] * 1 + m[1] * 2 + m[2] * 3 + m[3], 1, 1e-7);
  EXPECT_NEAR(m[4] * 1 + m[5] * 2 + m[6] * 3 + m[7], -3, 1e-7);
  EXPECT_NEAR(m[8] * 1 + m[9] * 2 + m[10] * 3 + m[11], 5, 1e-7);
  EXPECT_LT(momap::testing::depth_residual(clip, 0, 1), 1e-4);
  EXPECT_NEAR(clip.flow->data_ptr<float>()[0], -4, 2e-4) << "u is the change of column";
  EXPECT_NEAR(clip.flow->data_ptr<float>()[1], 2, 2e-4);
  EXPECT_EQ(clip.segments->data_ptr<int32_t>()[0], 5);
}

TEST_F(MoviTest, ReadsSixteenBitDepthInItsRange) {
  for (int t = 0; t < 2; ++t) {
    const auto number = "0000" + std::to_string(t);
    fs::remove(at("depth_" + number + ".tiff"));
    momap::testing::write_image(at("depth_" + number + ".png"),
                                cv::Mat(kSize, kSize, CV_16UC1, cv::Scalar(65535)));
  }
  momap::testing::write(at("data_ranges.json"),
                        R"({"forward_flow": {"min": -10, "max": 10},
                            "depth": {"min": 1, "max": 5}})");
  const momap::Clip clip = sample(*source(folder_.path(), ", frames: 2"));
  const double ray = std::hypot(1, 15.5 / 35, 15.5 / 35);
  EXPECT_NEAR(clip.depth->data_ptr<float>()[0], 5 / ray, 1e-5);
}

TEST_F(MoviTest, NamesWhatIsWrongInTheJsonFiles) {
  const auto says = [&](const std::string& file, const std::string& text) {
    momap::testing::write(at(file), text);
    return refusal<momap::DataError>([&] { sample(*source(folder_.path(), ", frames: 2")); });
  };
  EXPECT_NE(says("data_ranges.json", R"({"forward_flow": {"min": 1, "max": -1}})")
                .find("range of forward_flow is 1 to -1"),
            std::string::npos);
  EXPECT_NE(says("data_ranges.json", "{}").find("/forward_flow/min is not a number"),
            std::string::npos);
  EXPECT_NE(says("metadata.json", "{").find("metadata.json: is not JSON"), std::string::npos);
  EXPECT_NE(says("metadata.json", "{}").find("/camera/focal_length is not a number"),
            std::string::npos);
  EXPECT_NE(says("metadata.json", R"({"camera": {"focal_length": 35, "sensor_width": 32,
                 "positions": [[0, 0]], "quaternions": [[1, 0, 0, 0]]}})")
                .find("/camera/positions/0 is not a list of 3 numbers"),
            std::string::npos);
  fs::remove(at("metadata.json"));
  EXPECT_NE(refusal<momap::DataError>([&] {
              sample(*source(folder_.path(), ", frames: 2"));
            }).find("metadata.json: the file is missing"),
            std::string::npos);
}

}  // namespace
