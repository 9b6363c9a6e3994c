// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/logical_and.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <momap/harvest/quality.h>

#include "scenes.h"

namespace momap {
namespace {

TEST(Quality, FiguresOfAKnownScene) {
  // A square of 0.8 m at 2 m moves; the wall does not. No noise in depth, still camera.
  const Clip clip = testing::moving_square({.frames = 6, .square_speed_x = 0.03});
  const MoMap& map = clip.truth[0].motion;
  const auto figures = measure_quality(clip, map);
  EXPECT_EQ(figures.at("valid_share"), map.valid.to(at::kFloat).mean().item<double>());
  const at::Tensor still = at::logical_and(clip.segments->eq(0), map.valid);
  const double wall = at::sum(still).item<double>() / at::sum(map.valid).item<double>();
  EXPECT_NEAR(figures.at("static_share"), wall, 1e-9);
  EXPECT_NEAR(figures.at("depth_jitter"), 0, 1e-6);
  EXPECT_LT(figures.at("camera_residual_px"), 0.3);
}

TEST(Quality, AMovingCameraIsJudgedByItsPose) {
  Clip clip = testing::moving_square({.frames = 6, .square_speed_x = 0, .camera_speed_x = 0.03});
  const MoMap& map = clip.truth[0].motion;
  EXPECT_LT(measure_quality(clip, map).at("camera_residual_px"), 0.5);
  clip.cam_from_world.reset();  // as if the camera had been still
  EXPECT_GT(measure_quality(clip, map).at("camera_residual_px"), 2);
}

TEST(Quality, DepthJitterIsTheSecondDifferenceByDepth) {
  Clip clip = testing::moving_square({.frames = 5, .square_speed_x = 0});
  MoMap map = clip.truth[0].motion;
  map.xyz = map.xyz.clone();
  // z is multiplied by 1, 1.01, 1, 1.01, 1: second differences of 0.02 z.
  for (const int64_t t : {1, 3}) map.xyz.select(0, t).select(2, 2).mul_(1.01);
  map.visible = at::zeros_like(map.visible).fill_(true);
  EXPECT_NEAR(measure_quality(clip, map).at("depth_jitter"), 0.02, 3e-4);
}

TEST(Quality, WhatCannotBeMeasuredIsAbsent) {
  Clip clip = testing::moving_square({.frames = 2});
  clip.camera.reset();
  MoMap map = clip.truth[0].motion;
  map.valid = at::zeros_like(map.valid);
  const auto figures = measure_quality(clip, map);
  EXPECT_EQ(figures.at("valid_share"), 0);
  EXPECT_FALSE(figures.contains("visible_share"));
  EXPECT_FALSE(figures.contains("static_share"));
  EXPECT_FALSE(figures.contains("depth_jitter"));
  EXPECT_FALSE(figures.contains("camera_residual_px"));
}

TEST(Quality, ThresholdsNameTheFirstRuleThatIsBroken) {
  const std::map<std::string, double> figures{
      {"valid_share", 0.6}, {"visible_share", 0.8}, {"depth_jitter", 0.02}, {"static_share", 0.97}};
  EXPECT_FALSE(judge(figures, {}));
  EXPECT_FALSE(judge(figures, {.min_valid_share = 0.6, .max_depth_jitter = 0.02}));
  EXPECT_EQ(judge(figures, {.min_valid_share = 0.61})->rule, "min_valid_share");
  EXPECT_EQ(judge(figures, {.max_depth_jitter = 0.01})->value, 0.02);
  EXPECT_EQ(judge(figures, {.max_static_share = 0.9})->threshold, 0.9);
  EXPECT_FALSE(judge(figures, {.max_camera_residual_px = 1}));  // not measured
  EXPECT_EQ(judge({}, {.min_valid_share = 0.1})->rule, "min_valid_share");
}

}  // namespace
}  // namespace momap
