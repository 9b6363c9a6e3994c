// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/condition.h>

#include "scenes.h"

namespace momap {
namespace {

TEST(Camera, ResizingKeepsTheRayThroughTheSamePlaceOfTheImage) {
  const Camera camera{.fx = 100, .fy = 90, .cx = 31.5, .cy = 20, .width = 64, .height = 48};
  const Camera half = camera.resized(32, 24);
  // The border between pixels 10 and 11 of the large image is that between 4 and 5, and a half, of
  // the small one.
  const double u = 10.5, small_u = (u + 0.5) / 2 - 0.5;
  EXPECT_DOUBLE_EQ((u - camera.cx) / camera.fx, (small_u - half.cx) / half.fx);
  EXPECT_DOUBLE_EQ(half.fx, 50);
  EXPECT_DOUBLE_EQ(half.fy, 45);
  EXPECT_DOUBLE_EQ(half.cx, 15.5);
  EXPECT_DOUBLE_EQ(half.cy, 9.75);
  EXPECT_EQ(half.width, 32);
  EXPECT_EQ(half.height, 24);
}

TEST(Camera, ResizingThereAndBackIsTheSameCamera) {
  const Camera camera{.fx = 128, .fy = 96, .cx = 30.25, .cy = 17.5, .width = 64, .height = 48};
  EXPECT_EQ(camera.resized(128, 96).resized(64, 48), camera);
}

TEST(Condition, HoldsWhatFrameZeroShows) {
  const Clip clip = testing::moving_square({.frames = 3, .height = 20, .width = 24});
  const Condition condition = Condition::from(clip);
  EXPECT_TRUE(condition.image.equal(clip.frames[0]));
  EXPECT_TRUE(condition.points.equal(clip.truth[0].motion.xyz[0]));
  EXPECT_EQ(condition.camera, *clip.camera);
  EXPECT_TRUE(condition.segments->equal(*clip.segments));
  EXPECT_EQ(condition.text, "a square moves");
}

TEST(Condition, SaysWhatTheClipLacks) {
  Clip clip = testing::moving_square({.frames = 1, .height = 8, .width = 8});
  clip.camera.reset();
  EXPECT_THROW(Condition::from(clip), DataError);
  clip.camera = testing::simple_camera(8, 8);
  clip.depth.reset();
  EXPECT_THROW(Condition::from(clip), DataError);
}

}  // namespace
}  // namespace momap
