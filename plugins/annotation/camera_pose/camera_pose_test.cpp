// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>
#include <momap/data/opencv.h>
#include <momap/stage/annotator.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "plugin_fixture.h"
#include "scenes.h"
#include "shared_data.h"

namespace {

using momap::Clip;
using momap::testing::SceneOptions;

Clip annotate(const Clip& clip, const std::string& yaml = "{}") {
  const auto plugin = momap::testing::make_plugin<momap::Annotator>("annotation/camera_pose", yaml);
  Clip out = plugin->annotate(clip, momap::testing::context());
  momap::check(out, "annotation/camera_pose");
  return out;
}

std::string refusal(const Clip& clip) {
  try {
    annotate(clip);
  } catch (const momap::DataError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// Frame t's camera from frame 0's.
at::Tensor from_first(const at::Tensor& poses) { return poses.matmul(poses[0].inverse()); }

double angle_degrees(const at::Tensor& rotation) {
  const double trace = rotation.diagonal().sum().item<double>();
  return std::acos(std::clamp((trace - 1) / 2, -1.0, 1.0)) * 180 / M_PI;
}

// Absolute trajectory error without alignment (both start at the identity) and error from frame to
// frame.
struct PoseErrors {
  double ate_rmse_m = 0, ate_max_m = 0, rotation_max_degrees = 0;
  double rpe_rmse_m = 0, rpe_rmse_degrees = 0;
  double path_m = 0;
};

PoseErrors compare(const at::Tensor& found, const at::Tensor& truth) {
  const at::Tensor a = from_first(found), b = from_first(truth);
  PoseErrors e;
  const int64_t n = a.size(0);
  for (int64_t t = 1; t < n; ++t) {
    const at::Tensor centre_a = a[t].inverse().slice(0, 0, 3).select(1, 3);
    const at::Tensor centre_b = b[t].inverse().slice(0, 0, 3).select(1, 3);
    const double distance = (centre_a - centre_b).norm().item<double>();
    const at::Tensor apart = a[t].matmul(b[t].inverse());
    e.ate_rmse_m += distance * distance;
    e.ate_max_m = std::max(e.ate_max_m, distance);
    e.rotation_max_degrees =
        std::max(e.rotation_max_degrees, angle_degrees(apart.slice(0, 0, 3).slice(1, 0, 3)));
    const at::Tensor step_a = a[t].matmul(a[t - 1].inverse());
    const at::Tensor step_b = b[t].matmul(b[t - 1].inverse());
    const at::Tensor step = step_a.matmul(step_b.inverse());
    e.rpe_rmse_m += std::pow(step.slice(0, 0, 3).select(1, 3).norm().item<double>(), 2);
    e.rpe_rmse_degrees += std::pow(angle_degrees(step.slice(0, 0, 3).slice(1, 0, 3)), 2);
    e.path_m += step_b.slice(0, 0, 3).select(1, 3).norm().item<double>();
  }
  const double steps = static_cast<double>(n - 1);
  e.ate_rmse_m = std::sqrt(e.ate_rmse_m / steps);
  e.rpe_rmse_m = std::sqrt(e.rpe_rmse_m / steps);
  e.rpe_rmse_degrees = std::sqrt(e.rpe_rmse_degrees / steps);
  return e;
}

void print(const char* what, const PoseErrors& e) {
  std::cout << what << ": ATE rmse " << e.ate_rmse_m << " m, max " << e.ate_max_m
            << " m; rotation max " << e.rotation_max_degrees << " deg; RPE rmse " << e.rpe_rmse_m
            << " m, " << e.rpe_rmse_degrees << " deg; path " << e.path_m << " m\n";
}

Clip scene(double camera_speed_x, int64_t frames = 12) {
  SceneOptions options;
  options.frames = frames;
  options.height = 192;
  options.width = 256;
  options.camera_speed_x = camera_speed_x;
  return momap::testing::moving_square(options);
}

// A camera that turns about its y axis by `degrees` a frame before a distant textured panorama.
Clip panning(double degrees, int64_t frames) {
  const int width = 256, height = 192;
  Clip clip;
  clip.camera = momap::testing::simple_camera(width, height);
  clip.frames = at::empty({frames, height, width, 3}, at::kByte);
  clip.cam_from_world = at::eye(4, at::kDouble).repeat({frames, 1, 1});
  cv::Mat texture(600, 2000, CV_8UC3);
  cv::RNG(3).fill(texture, cv::RNG::UNIFORM, 0, 255);
  cv::GaussianBlur(texture, texture, {0, 0}, 2.5);
  cv::normalize(texture, texture, 0, 255, cv::NORM_MINMAX);
  for (int64_t t = 0; t < frames; ++t) {
    const double angle = degrees * static_cast<double>(t) * M_PI / 180;
    cv::Mat map_x(height, width, CV_32F), map_y(height, width, CV_32F);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double rx = (x - clip.camera->cx) / clip.camera->fx;
        const double ry = (y - clip.camera->cy) / clip.camera->fy;
        const double azimuth = std::atan(rx) + angle;
        map_x.at<float>(y, x) = static_cast<float>(400 + 300 * azimuth);
        map_y.at<float>(y, x) = static_cast<float>(300 + 300 * ry / std::hypot(1, rx));
      }
    }
    cv::Mat frame = momap::as_mat(clip.frames[t]);
    cv::remap(texture, frame, map_x, map_y, cv::INTER_CUBIC);
    const at::Tensor frame_pose = (*clip.cam_from_world)[t];
    auto pose = frame_pose.accessor<double, 2>();
    pose[0][0] = pose[2][2] = std::cos(angle);
    pose[0][2] = -std::sin(angle);
    pose[2][0] = std::sin(angle);
  }
  return clip;
}

TEST(CameraPose, AStaticCameraIsExactlyTheIdentity) {
  Clip clip = scene(0);
  for (const bool with_depth : {true, false}) {
    if (!with_depth) clip.depth.reset();
    const Clip out = annotate(clip);
    EXPECT_TRUE(out.cam_from_world->equal(at::eye(4, at::kDouble).repeat({12, 1, 1})));
  }
}

TEST(CameraPose, FollowsAMovingCameraByDepth) {
  const Clip clip = scene(0.03, 24);
  const PoseErrors errors = compare(*annotate(clip).cam_from_world, *clip.cam_from_world);
  print("moving square, 24 frames", errors);
  EXPECT_LT(errors.ate_max_m, 0.01);
  EXPECT_LT(errors.rotation_max_degrees, 0.15);
}

TEST(CameraPose, FollowsAMovingCameraWithoutDepthUpToScale) {
  Clip clip = scene(0.06, 12);
  clip.depth.reset();
  at::Tensor found = *annotate(clip).cam_from_world;
  const double true_x = (*clip.cam_from_world)[11][0][3].item<double>();
  const double scale = true_x / found[11][0][3].item<double>();
  ASSERT_GT(scale, 0);
  found = found.clone();
  found.slice(1, 0, 3).select(2, 3).mul_(scale);
  const PoseErrors errors = compare(found, *clip.cam_from_world);
  print("without depth, scaled", errors);
  EXPECT_LT(errors.ate_max_m, 0.05);
  EXPECT_LT(errors.rotation_max_degrees, 1);
}

TEST(CameraPose, FollowsATurningCameraWithoutDepth) {
  const Clip clip = panning(1.5, 30);
  const Clip out = annotate(clip);
  const PoseErrors errors = compare(*out.cam_from_world, *clip.cam_from_world);
  print("panning by 43.5 degrees", errors);
  EXPECT_LT(errors.rotation_max_degrees, 0.2);
  EXPECT_EQ(out.cam_from_world->slice(1, 0, 3).select(2, 3).abs().max().item<double>(), 0);
}

TEST(CameraPose, GivesTheSameBytesForAnyNumberOfThreads) {
  const Clip clip = scene(0.03);
  const at::Tensor many = *annotate(clip).cam_from_world;
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_TRUE(annotate(clip).cam_from_world->equal(many));
}

TEST(CameraPose, SaysWhenThereIsNothingToFollow) {
  Clip clip = scene(0.03, 4);
  clip.frames = at::zeros_like(clip.frames);
  EXPECT_NE(refusal(clip).find("corners to follow"), std::string::npos) << refusal(clip);
  Clip cut = scene(0.03, 4);
  cut.frames = cut.frames.clone();
  cut.frames[2].zero_();
  EXPECT_NE(refusal(cut).find("frame"), std::string::npos);
  Clip no_depth_known = scene(0.03, 4);
  no_depth_known.depth = at::zeros_like(*no_depth_known.depth);
  EXPECT_NE(refusal(no_depth_known).find("no pose explains"), std::string::npos);
  Clip no_camera = scene(0, 2);
  no_camera.camera.reset();
  EXPECT_NE(refusal(no_camera).find("no camera"), std::string::npos);
}

TEST(CameraPose, APhotographStandsAtTheOrigin) {
  Clip clip = scene(0, 1);
  clip.frames.zero_();
  clip.cam_from_world.reset();
  EXPECT_TRUE(annotate(clip).cam_from_world->equal(at::eye(4, at::kDouble).unsqueeze(0)));
}

TEST(CameraPose, RefusesTinyImagesWithAReason) {
  for (const int64_t side : {1, 2, 15}) {
    Clip clip;
    clip.frames = at::full({2, side, side, 3}, 50, at::kByte);
    clip.camera = momap::testing::simple_camera(side, side);
    EXPECT_NE(refusal(clip).find("corners"), std::string::npos) << side;
  }
}

// Real hand-held RGB-D frames with poses from the 7-Scenes data set.
class SevenScenes : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = momap::testing::shared_folder() / "data/rgbd_7scenes";
    if (!std::filesystem::exists(folder_ / "frame-000000.color.jpg")) {
      GTEST_SKIP() << folder_ << " is not here; set MOMAP_SHARED to the folder that holds 'data'";
    }
  }

  Clip read(int first, int frames) const {
    Clip clip;
    clip.camera = momap::Camera{585, 585, 320, 240, 640, 480};
    std::vector<at::Tensor> colour, depth, pose;
    for (int i = first; i < first + frames; ++i) {
      char stem[32];
      std::snprintf(stem, sizeof stem, "frame-%06d", i);
      const std::string base = (folder_ / stem).string();
      cv::Mat rgb, metres;
      cv::cvtColor(cv::imread(base + ".color.jpg"), rgb, cv::COLOR_BGR2RGB);
      cv::imread(base + ".depth.png", cv::IMREAD_UNCHANGED).convertTo(metres, CV_32F, 1e-3);
      colour.push_back(momap::to_tensor(rgb));
      depth.push_back(momap::to_tensor(metres));
      at::Tensor world_from_cam = at::empty({4, 4}, at::kDouble);
      std::ifstream in(base + ".pose.txt");
      for (int k = 0; k < 16; ++k) in >> world_from_cam.data_ptr<double>()[k];
      pose.push_back(world_from_cam.inverse());
    }
    clip.frames = at::stack(colour);
    clip.depth = at::stack(depth);
    clip.cam_from_world = at::stack(pose);
    return clip;
  }

  std::filesystem::path folder_;
};

TEST_F(SevenScenes, IsFollowedByDepth) {
  const Clip clip = read(0, 50);
  const PoseErrors errors = compare(*annotate(clip).cam_from_world, *clip.cam_from_world);
  print("7-Scenes, 50 frames, depth", errors);
  EXPECT_LT(errors.ate_rmse_m, 0.06);
  EXPECT_LT(errors.rotation_max_degrees, 3);
}

TEST_F(SevenScenes, IsFollowedWithoutDepthUpToScale) {
  Clip clip = read(0, 50);
  const at::Tensor truth = *clip.cam_from_world;
  clip.depth.reset();
  const PoseErrors errors = compare(*annotate(clip).cam_from_world, truth);
  print("7-Scenes, 50 frames, no depth (unscaled)", errors);
  EXPECT_LT(errors.rotation_max_degrees, 5);
}

}  // namespace
