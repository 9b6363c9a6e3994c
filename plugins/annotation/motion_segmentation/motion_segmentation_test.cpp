// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>
#include <momap/stage/annotator.h>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::Clip;
using momap::testing::SceneOptions;

at::Tensor segments_of(const Clip& clip) {
  Clip bare = clip;
  bare.segments.reset();
  bare.truth.clear();
  const auto plugin =
      momap::testing::make_plugin<momap::Annotator>("annotation/motion_segmentation");
  const Clip out = plugin->annotate(bare, momap::testing::context());
  momap::check(out, "annotation/motion_segmentation");
  return *out.segments;
}

// Intersection over union of what moves.
double overlap(const Clip& clip) {
  const at::Tensor found = segments_of(clip).gt(0), truth = clip.segments->gt(0);
  return (found & truth).sum().item<double>() / (found | truth).sum().item<double>();
}

TEST(MotionSegmentation, FindsWhatMovesBeforeAStaticCamera) {
  Clip clip = momap::testing::moving_square();
  EXPECT_GT(overlap(clip), 0.8);
  clip.depth.reset();
  EXPECT_GT(overlap(clip), 0.8) << "without depth";
}

TEST(MotionSegmentation, TellsItFromTheMotionOfTheCamera) {
  SceneOptions options;
  options.camera_speed_x = 0.015;
  EXPECT_GT(overlap(momap::testing::moving_square(options)), 0.8);
}

TEST(MotionSegmentation, FindsNothingWhereNothingMoves) {
  SceneOptions options;
  options.square_speed_x = 0;
  options.camera_speed_x = 0.015;
  Clip clip = momap::testing::moving_square(options);
  EXPECT_EQ(segments_of(clip).max().item<int>(), 0);
  clip.depth.reset();
  EXPECT_EQ(segments_of(clip).max().item<int>(), 0) << "without depth";
  clip.frames = at::zeros_like(clip.frames);
  EXPECT_EQ(segments_of(clip).max().item<int>(), 0) << "black frames";
}

TEST(MotionSegmentation, TakesUnknownDepthForUnknown) {
  Clip clip = momap::testing::moving_square();
  clip.depth = at::full_like(*clip.depth, std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(segments_of(clip).max().item<int>(), 0);
}

TEST(MotionSegmentation, SaysWhatIsMissing) {
  SceneOptions options;
  options.frames = 1;
  EXPECT_THROW(segments_of(momap::testing::moving_square(options)), momap::DataError);
  Clip clip = momap::testing::moving_square();
  clip.cam_from_world.reset();
  EXPECT_THROW(segments_of(clip), momap::DataError);
}

}  // namespace
