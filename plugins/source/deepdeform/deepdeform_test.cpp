// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>
#include <limits>

#include "formats/fixtures.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::raw;
using momap::testing::refusal;
using momap::testing::sample;

constexpr int kWidth = 4, kHeight = 2, kPixels = kWidth * kHeight;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/deepdeform", "{path: \"" + path.string() + "\"" + more + "}");
}

// A flat thing 2 m away that comes 0.5 m nearer; pixel 3 has no flow.
class DeepDeformTest : public ::testing::Test {
 protected:
  DeepDeformTest() {
    for (const int t : {0, 110}) {
      const auto number = t == 0 ? std::string("000000") : std::string("000110");
      momap::testing::write_image(at("color/" + number + ".jpg"),
                                  cv::Mat(kHeight, kWidth, CV_8UC3, cv::Scalar::all(t)));
      momap::testing::write_image(at("depth/" + number + ".png"),
                                  cv::Mat(kHeight, kWidth, CV_16UC1, cv::Scalar(t ? 1500 : 2000)));
    }
    momap::testing::write(at("intrinsics.txt"), "50 0 2 0 0 60 1 0 0 0 1 0 0 0 0 1");
    std::vector<float> flow(2 * kPixels, 1), step(3 * kPixels, 0);
    for (int i = 0; i < kPixels; ++i) step[static_cast<size_t>(2 * kPixels + i)] = -0.5f;
    flow[3] = step[3] = -std::numeric_limits<float>::infinity();
    momap::testing::write(at("optical_flow/shirt_000000_000110.oflow"),
                          raw(kWidth) + raw(kHeight) + raw(2) + raw(flow));
    momap::testing::write(at("scene_flow/shirt_000000_000110.sflow"),
                          raw(kWidth) + raw(kHeight) + raw(3) + raw(step));
    cv::Mat mask(kHeight, kWidth, CV_16UC1, cv::Scalar(0));
    mask.at<uint16_t>(1, 1) = 65535;
    momap::testing::write_image(at("mask/shirt_000000.png"), mask);
  }
  fs::path at(const std::string& name) const { return folder_.path() / "train/seq000" / name; }
  momap::TemporaryFolder folder_;
};

TEST_F(DeepDeformTest, GivesPairsWithFlowDepthAndMask) {
  const auto plugin = source(folder_.path());
  ASSERT_EQ(plugin->size(), 1);
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(clip.length(), 2);
  EXPECT_NEAR((*clip.depth)[1].data_ptr<float>()[0], 1.5, 1e-6);
  EXPECT_EQ(*clip.camera, (momap::Camera{50, 60, 2, 1, kWidth, kHeight}));
  EXPECT_EQ(clip.flow->data_ptr<float>()[0], 1);
  EXPECT_TRUE(std::isnan(clip.flow->data_ptr<float>()[6]));
  EXPECT_EQ(clip.segments->data_ptr<int32_t>()[kWidth + 1], 1);
  EXPECT_TRUE(clip.truth.empty()) << "the camera's motion is not known";
}

TEST_F(DeepDeformTest, GivesSceneFlowWhenAsked) {
  const momap::Clip clip = sample(*source(folder_.path(), ", camera_relative_truth: true"));
  const auto& motion = clip.truth.at(0).motion;
  for (int i = 0; i < kPixels; ++i) {
    EXPECT_EQ(motion.valid.data_ptr<bool>()[i], i != 3) << i;
    const float z = motion.xyz[1].data_ptr<float>()[3 * i + 2];
    if (i != 3) {
      EXPECT_EQ(z, 1.5f);
    }
  }
}

TEST_F(DeepDeformTest, PairsNeighboursWhereThereIsNoFlow) {
  fs::remove_all(folder_.path() / "train/seq000/optical_flow");
  const auto plugin = source(folder_.path());
  ASSERT_EQ(plugin->size(), 1);
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(clip.length(), 2);
  EXPECT_FALSE(clip.flow);
}

TEST_F(DeepDeformTest, NamesBadAndMissingFiles) {
  const auto says = [&](const std::string& more = "") {
    return refusal<momap::DataError>([&] { sample(*source(folder_.path(), more)); });
  };
  fs::remove(at("scene_flow/shirt_000000_000110.sflow"));
  EXPECT_NE(says(", camera_relative_truth: true").find(".sflow: the file is missing"),
            std::string::npos);
  momap::testing::write(at("intrinsics.txt"), "50 0 2 0 0 60 1 0 0");
  EXPECT_NE(says().find("holds 9 numbers; expected 16"), std::string::npos);
  fs::remove(at("depth/000110.png"));
  EXPECT_NE(says().find("000110.png: the file is missing"), std::string::npos);
  momap::testing::write(at("optical_flow/odd.oflow"), "x");
  EXPECT_NE(says().find("is not named NAME_SOURCE_TARGET.oflow"), std::string::npos);
}

TEST(DeepDeform, ReadsARealPair) {
  const fs::path folder = momap::testing::shared_folder() / "data/sceneflow_deepdeform";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const auto plugin = source(folder, ", split: test");
  ASSERT_EQ(plugin->size(), 1);
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(clip.width(), 640);
  EXPECT_NEAR(clip.camera->fx, 575.548, 1e-9);
  int64_t known = 0;
  for (int64_t i = 0; i < clip.depth->numel(); ++i) {
    const float z = clip.depth->data_ptr<float>()[i];
    known += z > 0 ? 1 : 0;
    EXPECT_LT(z, 11) << "the sensor's range";
  }
  EXPECT_GT(known, clip.depth->numel() / 2);
}

}  // namespace
