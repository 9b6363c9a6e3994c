// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>
#include <momap/stage/extractor.h>
#include <tbb/global_control.h>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::Clip;
using momap::MoMap;
using momap::testing::SceneOptions;

MoMap extract(const Clip& clip, const std::string& yaml = "{}") {
  const auto plugin =
      momap::testing::make_plugin<momap::Extractor>("extraction/sparse_tracks", yaml);
  MoMap map = plugin->extract(clip, momap::testing::context());
  momap::check(map, "extraction/sparse_tracks");
  return map;
}

struct Errors {
  double moving, still, valid, visibility;  // medians in metres; shares
};

Errors compare(const MoMap& map, const Clip& clip) {
  const MoMap& truth = clip.truth[0].motion;
  const at::Tensor error = (map.xyz - truth.xyz).norm(2, 3).slice(0, 1);
  const at::Tensor moving = clip.segments->ne(0).logical_and(map.valid);
  const at::Tensor still = clip.segments->eq(0).logical_and(map.valid);
  const auto median = [&](const at::Tensor& mask) {
    return error.masked_select(mask.expand_as(error)).median().item<double>();
  };
  const at::Tensor agree = map.visible.eq(truth.visible).to(at::kDouble);
  return {median(moving), median(still), map.valid.to(at::kDouble).mean().item<double>(),
          agree.mean().item<double>()};
}

TEST(SparseTracks, FollowsAMovingSquare) {
  const Clip clip = momap::testing::moving_square();
  const Errors errors = compare(extract(clip), clip);
  EXPECT_LT(errors.moving, 0.01);
  EXPECT_LT(errors.still, 1e-4);
  EXPECT_GT(errors.valid, 0.95);
  EXPECT_GT(errors.visibility, 0.95);
}

TEST(SparseTracks, TakesTheMotionOfTheCameraOut) {
  SceneOptions options;
  options.camera_speed_x = 0.015;
  const Clip clip = momap::testing::moving_square(options);
  const Errors errors = compare(extract(clip), clip);
  EXPECT_LT(errors.moving, 0.01);
  EXPECT_LT(errors.still, 1e-4);
  EXPECT_GT(errors.visibility, 0.95);
}

TEST(SparseTracks, IsTheSameForAnyNumberOfThreads) {
  const Clip clip = momap::testing::moving_square();
  const MoMap many = extract(clip);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_TRUE(at::equal(extract(clip).xyz, many.xyz));
}

TEST(SparseTracks, WhereNothingCanBeFollowedNothingIsValid) {
  Clip clip = momap::testing::moving_square();
  clip.frames = at::full_like(clip.frames, 90);
  EXPECT_FALSE(extract(clip).valid.any().item<bool>());
}

TEST(SparseTracks, AClipOfOneFrameIsItsPointMap) {
  Clip clip = momap::testing::moving_square();
  clip.frames = clip.frames.slice(0, 0, 1).contiguous();
  clip.depth = clip.depth->slice(0, 0, 1).contiguous();
  clip.cam_from_world = clip.cam_from_world->slice(0, 0, 1).contiguous();
  const MoMap map = extract(clip);
  EXPECT_EQ(map.frames(), 1);
  EXPECT_GT(map.valid.to(at::kDouble).mean().item<double>(), 0.95);
}

TEST(SparseTracks, SaysWhatAClipLacks) {
  const auto message = [](Clip clip) -> std::string {
    try {
      extract(clip);
    } catch (const momap::DataError& error) {
      return error.what();
    }
    return "";
  };
  Clip clip = momap::testing::moving_square();
  clip.cam_from_world.reset();
  EXPECT_NE(message(clip).find("annotation/camera_pose"), std::string::npos);
  clip.camera.reset();
  EXPECT_NE(message(clip).find("fov_degrees"), std::string::npos);
  clip.depth.reset();
  EXPECT_NE(message(clip).find("no depth"), std::string::npos);
}

}  // namespace
