// SPDX-License-Identifier: Apache-2.0
#include "scenes.h"

#include <gtest/gtest.h>
#include <momap/data/datum.h>
#include <momap/data/geometry.h>

#include <cmath>

namespace momap {
namespace {

using testing::moving_square;
using testing::SceneOptions;
using testing::simple_camera;

TEST(SimpleCamera, SeesSixtyDegreesAcross) {
  const Camera camera = simple_camera(128, 96);
  const double half_angle = std::atan((camera.width / 2.0) / camera.fx);
  EXPECT_NEAR(half_angle * 180 / M_PI, 30, 1e-9);
  EXPECT_EQ(camera.cx, 63.5);
  EXPECT_EQ(camera.cy, 47.5);
}

TEST(MovingSquare, IsAConsistentClipAtEverySize) {
  for (const auto& [frames, height, width] :
       std::vector<std::array<int64_t, 3>>{{8, 96, 128}, {1, 1, 1}, {3, 17, 23}}) {
    const Clip clip = moving_square({.frames = frames, .height = height, .width = width});
    EXPECT_NO_THROW(check(clip, "scene"));
    EXPECT_TRUE(unproject((*clip.depth)[0], *clip.camera).equal(clip.truth[0].motion.xyz[0]));
    EXPECT_TRUE(clip.truth[0].motion.visible[0].all().item<bool>());
    EXPECT_TRUE(clip.truth[0].motion.valid.all().item<bool>());
  }
}

TEST(MovingSquare, StandsWhereItsSizeAndDepthSay) {
  const Clip clip = moving_square();
  // 0.8 m at 2 m is 0.4 f px wide: centres within +-0.2 f of the principal point.
  const double half = 0.2 * clip.camera->fx;
  const auto segments = clip.segments->accessor<int32_t, 2>();
  const auto depth = clip.depth->accessor<float, 3>();
  for (int64_t y = 0; y < clip.height(); ++y) {
    for (int64_t x = 0; x < clip.width(); ++x) {
      const bool inside = std::abs(static_cast<double>(x) - clip.camera->cx) <= half &&
                          std::abs(static_cast<double>(y) - clip.camera->cy) <= half;
      ASSERT_EQ(segments[y][x], inside ? 1 : 0) << x << ", " << y;
      ASSERT_EQ(depth[0][y][x], inside ? 2.0f : 4.0f);
    }
  }
}

TEST(MovingSquare, TruthMovesTheSquareAndNothingElse) {
  const Clip clip = moving_square(
      {.frames = 5, .square_speed_x = 0.03, .square_speed_z = 0.1, .camera_speed_x = 0.02});
  const MoMap& truth = clip.truth[0].motion;
  const auto xyz = truth.xyz.accessor<float, 4>();
  const auto segments = clip.segments->accessor<int32_t, 2>();
  for (int64_t y = 0; y < clip.height(); y += 5) {
    for (int64_t x = 0; x < clip.width(); x += 5) {
      const bool moves = segments[y][x] == 1;
      ASSERT_NEAR(xyz[4][y][x][0] - xyz[0][y][x][0], moves ? 0.12 : 0, 1e-6);
      ASSERT_NEAR(xyz[4][y][x][1] - xyz[0][y][x][1], 0, 1e-6);
      ASSERT_NEAR(xyz[4][y][x][2] - xyz[0][y][x][2], moves ? 0.4 : 0, 1e-6);
    }
  }
}

// A visible point shows, in the frame it moved to, the depth it has there and nearly the colour it
// had.
TEST(MovingSquare, FramesDepthAndTruthAgree) {
  const Clip clip = moving_square({.frames = 4, .square_speed_x = 0.05, .camera_speed_x = -0.03});
  const MoMap& truth = clip.truth[0].motion;
  const auto xyz = truth.xyz.accessor<float, 4>();
  const auto visible = truth.visible.accessor<bool, 3>();
  const auto depth = clip.depth->accessor<float, 3>();
  const auto frames = clip.frames.accessor<uint8_t, 4>();
  const double camera_x = -0.03 * 3;
  int64_t seen = 0, hidden = 0;
  double difference = 0, difference_at_rest = 0;
  for (int64_t y = 2; y < clip.height() - 2; ++y) {
    for (int64_t x = 2; x < clip.width() - 2; ++x) {
      const double u =
          clip.camera->fx * (xyz[3][y][x][0] - camera_x) / xyz[3][y][x][2] + clip.camera->cx;
      const auto nearest = std::lround(u);
      if (nearest < 1 || nearest >= clip.width() - 1) continue;
      const double fraction = u - std::floor(u);
      const auto left = static_cast<int64_t>(std::floor(u));
      if (!visible[3][y][x]) {
        ++hidden;
        ASSERT_LT(depth[3][y][nearest], xyz[3][y][x][2]) << x << ", " << y;
        continue;
      }
      // Leave out pixels that show both surfaces, and interpolation across an edge.
      if (depth[3][y][left] != xyz[3][y][x][2] || depth[3][y][left + 1] != xyz[3][y][x][2])
        continue;
      if (depth[3][y][left - 1] != depth[3][y][left + 1]) continue;
      if (depth[0][y][x - 1] != depth[0][y][x + 1]) continue;
      ++seen;
      const double found =
          (1 - fraction) * frames[3][y][left][1] + fraction * frames[3][y][left + 1][1];
      difference += std::abs(found - frames[0][y][x][1]);
      difference_at_rest += std::abs(static_cast<double>(frames[3][y][x][1]) - frames[0][y][x][1]);
    }
  }
  ASSERT_GT(seen, 5000);
  ASSERT_GT(hidden, 100);
  EXPECT_LT(difference / static_cast<double>(seen), 3.0);  // linear interpolation of a 4 px wave
  EXPECT_GT(difference_at_rest / static_cast<double>(seen), 10.0);
}

TEST(MovingSquare, IsTheSameEachTimeAndDiffersByTextureSeed) {
  const SceneOptions options{.frames = 2, .height = 16, .width = 16};
  SceneOptions other = options;
  other.texture_seed = 8;
  EXPECT_TRUE(moving_square(options).frames.equal(moving_square(options).frames));
  EXPECT_FALSE(moving_square(options).frames.equal(moving_square(other).frames));
}

// The picture of a pixel is its exact mean: two half-size pixels average to one full-size pixel.
TEST(MovingSquare, APixelIsTheMeanOfItsArea) {
  const auto small =
      moving_square({.frames = 2, .height = 48, .width = 64, .square_speed_x = 0.013});
  const auto large =
      moving_square({.frames = 2, .height = 96, .width = 128, .square_speed_x = 0.013});
  const auto a = small.frames.accessor<uint8_t, 4>();
  const auto b = large.frames.accessor<uint8_t, 4>();
  for (int64_t y = 0; y < 48; ++y) {
    for (int64_t x = 0; x < 64; ++x) {
      const double mean = (b[1][2 * y][2 * x][0] + b[1][2 * y][2 * x + 1][0] +
                           b[1][2 * y + 1][2 * x][0] + b[1][2 * y + 1][2 * x + 1][0]) /
                          4.0;
      ASSERT_NEAR(a[1][y][x][0], mean, 1.01) << x << ", " << y;
    }
  }
}

}  // namespace
}  // namespace momap
