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
      "source/kitti_scene_flow", "{path: \"" + path.string() + "\"" + more + "}");
}

// fx = 10 px and a baseline of 0.5 m: depth = 5 / disparity.
constexpr const char* kCalibration =
    "calib_time: 09-Jan-2012\n"
    "P_rect_02: 10 0 4 1 0 10 3 0 0 0 1 0\n"
    "P_rect_03: 10 0 4 -4 0 10 3 0 0 0 1 0\n";

class KittiTest : public ::testing::Test {
 protected:
  KittiTest() {
    const fs::path training = folder_.path() / "training";
    for (const int t : {10, 11}) {
      momap::testing::write_image(file("image_2", t), momap::testing::numbered_frame(8, 6, t));
    }
    cv::Mat known(6, 8, CV_16UC3, cv::Scalar(1, 32768, 32768 + 64)), seen = known.clone();
    known.at<cv::Vec3w>(0, 0)[0] = 0;                               // unknown
    seen.at<cv::Vec3w>(0, 0)[0] = seen.at<cv::Vec3w>(3, 3)[0] = 0;  // and one occluded
    momap::testing::write_image(file("flow_occ"), known);
    momap::testing::write_image(file("flow_noc"), seen);
    cv::Mat disparity(6, 8, CV_16UC1, cv::Scalar(640));  // 2.5 px = 2 m
    disparity.at<uint16_t>(1, 1) = 0;
    momap::testing::write_image(file("disp_occ_0"), disparity);
    momap::testing::write_image(file("disp_occ_1"), cv::Mat(6, 8, CV_16UC1, cv::Scalar(1280)));
    cv::Mat objects(6, 8, CV_8UC1, cv::Scalar(0));
    objects.at<uint8_t>(2, 2) = 3;
    momap::testing::write_image(file("obj_map"), objects);
    momap::testing::write(training / "calib_cam_to_cam/000007.txt", kCalibration);
  }
  fs::path file(const std::string& kind, int t = 10) const {
    return folder_.path() / "training" / kind / ("000007_" + std::to_string(t) + ".png");
  }
  momap::TemporaryFolder folder_;
};

TEST_F(KittiTest, ReadsFlowDepthObjectsAndCamera) {
  const auto plugin = source(folder_.path());
  ASSERT_EQ(plugin->size(), 1);
  EXPECT_EQ(plugin->name(0), "000007_000010");
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{10, 11}));
  EXPECT_EQ(*clip.camera, (momap::Camera{10, 10, 4, 3, 8, 6}));
  EXPECT_EQ(clip.flow->data_ptr<float>()[2], 1);
  EXPECT_TRUE(std::isnan(clip.flow->data_ptr<float>()[0]));
  EXPECT_TRUE(clip.occluded->data_ptr<bool>()[3 * 8 + 3]);
  EXPECT_FALSE(clip.occluded->data_ptr<bool>()[0]) << "unknown is not occluded";
  EXPECT_EQ(clip.depth->data_ptr<float>()[0], 2);
  EXPECT_EQ(clip.depth->data_ptr<float>()[9], 0);
  EXPECT_EQ(clip.depth->data_ptr<float>()[6 * 8], 0) << "no depth is known on the second grid";
  EXPECT_EQ(clip.segments->data_ptr<int32_t>()[2 * 8 + 2], 3);
  EXPECT_FALSE(clip.cam_from_world);
  EXPECT_TRUE(clip.truth.empty()) << "the camera's motion is not known";
}

TEST_F(KittiTest, GivesTheBenchmarksSceneFlowWhenAsked) {
  const momap::Clip clip = sample(*source(folder_.path(), ", camera_relative_truth: true"));
  ASSERT_EQ(clip.truth.size(), 1u);
  const auto& motion = clip.truth[0].motion;
  // Pixel (2, 3) at 2 m goes to pixel (3, 3) at 1 m.
  const float* first = motion.xyz[0][3][2].data_ptr<float>();
  const float* second = motion.xyz[1][3][2].data_ptr<float>();
  EXPECT_FLOAT_EQ(first[0], (2 - 4) / 10.f * 2);
  EXPECT_FLOAT_EQ(first[2], 2);
  EXPECT_FLOAT_EQ(second[0], (3 - 4) / 10.f);
  EXPECT_FLOAT_EQ(second[2], 1);
  EXPECT_FALSE(motion.valid.data_ptr<bool>()[0]) << "no flow";
  EXPECT_FALSE(motion.valid.data_ptr<bool>()[9]) << "no depth";
}

TEST_F(KittiTest, NamesWhatIsMissingOrBad) {
  const auto says = [&] {
    return refusal<momap::DataError>([&] { sample(*source(folder_.path())); });
  };
  momap::testing::write(folder_.path() / "training/calib_cam_to_cam/000007.txt", "P_rect_02: 1 2");
  EXPECT_NE(says().find("P_rect_02 is not 12 numbers"), std::string::npos);
  fs::remove(folder_.path() / "training/calib_cam_to_cam/000007.txt");
  EXPECT_NE(says().find("000007.txt: the file is missing"), std::string::npos);
  momap::testing::write_image(file("disp_occ_0"), cv::Mat(6, 8, CV_8UC1));
  fs::remove(file("flow_occ"));
  EXPECT_NE(says().find("000007_10.png: the file is missing"), std::string::npos);
  EXPECT_NE(refusal<momap::DataError>([&] {
              source(folder_.path(), ", split: testing")->size();
            }).find("expected testing/image_2/000000_10.png"),
            std::string::npos);
}

// Real images with real lidar flow, and the calibration of that day.
TEST(KittiSceneFlow, LidarFlowExplainsTheImages) {
  const fs::path shared = momap::testing::shared_folder() / "data/flow_kitti";
  if (!fs::exists(shared)) GTEST_SKIP() << shared << " is not there";
  const momap::TemporaryFolder folder;
  const auto link = [&](const fs::path& from, const fs::path& to) {
    fs::create_directories((folder.path() / "training" / to).parent_path());
    fs::create_symlink(shared / from, folder.path() / "training" / to);
  };
  link("oftoolkit/frame1.png", "image_2/000000_10.png");
  link("oftoolkit/frame2.png", "image_2/000000_11.png");
  link("oftoolkit/flow_gt.png", "flow_occ/000000_10.png");
  link("selfmonosf/calib_cam_to_cam_2011_09_26.txt", "calib_cam_to_cam/000000.txt");
  const momap::Clip clip = sample(*source(folder.path()));
  const auto explained = momap::testing::photometric(clip, 0);
  EXPECT_LT(explained.with_flow, 0.5 * explained.without_flow);
  EXPECT_NEAR(clip.camera->fx, 721.54, 0.01);
  EXPECT_NEAR(clip.camera->cx, 609.56, 0.01);
  const at::Tensor flow = clip.flow->contiguous();
  int64_t known = 0;
  for (int64_t i = 0; i < flow.numel(); i += 2)
    known += std::isnan(flow.data_ptr<float>()[i]) ? 0 : 1;
  EXPECT_NEAR(2.0 * static_cast<double>(known) / static_cast<double>(flow.numel()), 0.162, 0.001);
}

}  // namespace
