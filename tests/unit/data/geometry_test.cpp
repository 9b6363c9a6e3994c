// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/geometry.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cmath>

#include "scenes.h"

namespace momap {
namespace {

TEST(Unproject, GivesThePointThatProjectsOntoThePixel) {
  const Camera camera{.fx = 50, .fy = 40, .cx = 3, .cy = 2, .width = 8, .height = 6};
  at::Tensor depth = at::empty({6, 8}, at::kFloat).fill_(2.0f);
  const at::Tensor points = unproject(depth, camera);
  const auto p = points.accessor<float, 3>();
  EXPECT_FLOAT_EQ(p[4][5][0], (5 - 3) / 50.0f * 2);
  EXPECT_FLOAT_EQ(p[4][5][1], (4 - 2) / 40.0f * 2);
  EXPECT_FLOAT_EQ(p[4][5][2], 2);
  EXPECT_EQ(p[2][3][0], 0);
  EXPECT_EQ(p[2][3][1], 0);
}

TEST(Unproject, UnknownDepthGivesTheOrigin) {
  const Camera camera = testing::simple_camera(4, 1);
  at::Tensor depth = at::empty({1, 4}, at::kFloat);
  float* z = depth.data_ptr<float>();
  z[0] = 0;
  z[1] = NAN;
  z[2] = -1;
  z[3] = INFINITY;
  EXPECT_TRUE(unproject(depth, camera).equal(at::zeros({1, 4, 3}, at::kFloat)));
}

TEST(Unproject, RefusesDepthOfAnotherSizeOrType) {
  EXPECT_THROW(unproject(at::zeros({4, 4}, at::kFloat), testing::simple_camera(4, 5)), DataError);
  EXPECT_THROW(unproject(at::zeros({4, 4}, at::kDouble), testing::simple_camera(4, 4)), DataError);
  EXPECT_THROW(unproject(at::zeros({1, 4, 4}, at::kFloat), testing::simple_camera(4, 4)),
               DataError);
}

// Pixels (t, y, x) where the two disagree.
int64_t disagreement(const at::Tensor& a, const at::Tensor& b) {
  return a.ne(b).sum().item<int64_t>();
}

TEST(VisibleByDepth, InFrameZeroEveryPointIsSeen) {
  const Clip clip = testing::moving_square();
  const MoMap& truth = clip.truth[0].motion;
  const at::Tensor visible = visible_by_depth(truth.xyz, truth.valid, truth.camera);
  EXPECT_TRUE(visible[0].all().item<bool>());
}

TEST(VisibleByDepth, AgreesWithExactOcclusionButForOnePixelAtEdges) {
  const Clip clip = testing::moving_square({.frames = 8, .square_speed_x = 0.03});
  const MoMap& truth = clip.truth[0].motion;
  const at::Tensor visible = visible_by_depth(truth.xyz, truth.valid, truth.camera);
  // Only the square's two upright edges and their ends can be in doubt: a pixel each, in every row
  // that it crosses.
  const int64_t rows = static_cast<int64_t>(std::ceil(0.4 * clip.camera->fx)) + 2;
  for (int64_t t = 1; t < 8; ++t) {
    EXPECT_LE(disagreement(visible[t], truth.visible[t]), 2 * rows) << "frame " << t;
  }
  EXPECT_GT(truth.visible[7].logical_not().sum().item<int64_t>(), 5 * rows);
}

TEST(VisibleByDepth, AnApproachingSurfaceLeavesNoGaps) {
  // From 2 m to 0.6 m: neighbours in the map are then 3.3 px apart, and the wall behind must stay
  // hidden.
  const Clip clip = testing::moving_square(
      {.frames = 8, .height = 64, .width = 64, .square_speed_x = 0, .square_speed_z = -0.2});
  const MoMap& truth = clip.truth[0].motion;
  const at::Tensor visible = visible_by_depth(truth.xyz, truth.valid, truth.camera);
  const at::Tensor wall_seen =
      visible[7].logical_and(truth.visible[7].logical_not()).logical_and(clip.segments->eq(0));
  EXPECT_EQ(wall_seen.sum().item<int64_t>(), 0);
}

TEST(VisibleByDepth, LeavesOutWhatIsInvalidBehindOrOutside) {
  const Camera camera = testing::simple_camera(3, 1);
  at::Tensor depth = at::empty({1, 3}, at::kFloat).fill_(1.0f);
  at::Tensor xyz = at::empty({2, 1, 3, 3}, at::kFloat);
  xyz[0].copy_(unproject(depth, camera));
  xyz[1].copy_(xyz[0]);
  at::Tensor valid = at::zeros({1, 3}, at::kBool).fill_(true);
  float* later = xyz.data_ptr<float>() + 9;
  later[2] = -1;                      // behind the camera
  valid.data_ptr<bool>()[1] = false;  // no path
  later[3] = later[4] = later[5] = NAN;
  later[6] = 10;  // far to the right
  const at::Tensor visible = visible_by_depth(xyz, valid, camera);
  EXPECT_FALSE(visible[1].any().item<bool>());
  EXPECT_TRUE(visible[0][0][0].item<bool>());
  EXPECT_FALSE(visible[0][0][1].item<bool>());
}

TEST(VisibleByDepth, ToleranceIsAShareOfThePointsDepth) {
  const Camera camera = testing::simple_camera(2, 1);
  at::Tensor depth = at::empty({1, 2}, at::kFloat).fill_(2.0f);
  at::Tensor xyz = at::empty({2, 1, 2, 3}, at::kFloat);
  xyz[0].copy_(unproject(depth, camera));
  xyz[1].copy_(xyz[0]);
  // Both points on one ray, the second at 2.1 m: 4.8 % of its own depth behind the first.
  float* second = xyz.data_ptr<float>() + 9;
  for (int c = 0; c < 3; ++c) second[c] = xyz.data_ptr<float>()[c] * 1.05f;
  const at::Tensor valid = at::zeros({1, 2}, at::kBool).fill_(true);
  EXPECT_TRUE(visible_by_depth(xyz, valid, camera, 0.05)[1][0][1].item<bool>());
  EXPECT_FALSE(visible_by_depth(xyz, valid, camera, 0.04)[1][0][1].item<bool>());
}

TEST(VisibleByDepth, IsTheSameForAnyNumberOfThreads) {
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 8);
  const MoMap truth = testing::moving_square({.frames = 6, .square_speed_x = 0.04}).truth[0].motion;
  at::Tensor one, eight;
  tbb::task_arena(1).execute([&] { one = visible_by_depth(truth.xyz, truth.valid, truth.camera); });
  tbb::task_arena(8).execute(
      [&] { eight = visible_by_depth(truth.xyz, truth.valid, truth.camera); });
  EXPECT_TRUE(one.equal(eight));
}

TEST(VisibleByDepth, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(visible_by_depth(at::zeros({2, 3, 4, 3}, at::kFloat), at::zeros({4, 3}, at::kBool),
                                testing::simple_camera(4, 3)),
               DataError);
}

}  // namespace
}  // namespace momap
