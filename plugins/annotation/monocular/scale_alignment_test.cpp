// SPDX-License-Identifier: Apache-2.0
#include "monocular/scale_alignment.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/random.h>

#include <cmath>
#include <vector>

#include "plugin_fixture.h"
#include "scenes.h"

namespace momap {
namespace {

TEST(RelativeScale, IsFoundUnderMotionNoiseAndMovers) {
  Random random(1);
  std::vector<double> from, to;
  const double c = std::cos(0.3), s = std::sin(0.3);
  for (int i = 0; i < 200; ++i) {
    const double x = random.uniform() * 4 - 2, y = random.uniform() * 2 - 1,
                 z = 2 + random.uniform() * 3;
    from.insert(from.end(), {x, y, z});
    const double moves = i % 10 == 0 ? 1.5 : 0;  // a tenth of the points goes its own way
    const double noise = 0.02 * random.normal();
    to.insert(to.end(), {1.7 * (c * x - s * z + 0.5 + moves), 1.7 * y,
                         1.7 * (s * x + c * z - 0.8) * (1 + noise)});
  }
  EXPECT_NEAR(relative_scale(from, to), 1.7, 0.02);
}

TEST(RelativeScale, TooFewPointsGiveNothing) {
  EXPECT_EQ(relative_scale({0, 0, 1, 1, 0, 1}, {0, 0, 2, 2, 0, 2}), 0);
}

// A scene with exact depth, each frame of which is multiplied by a factor of its own.
struct Jittered {
  Clip clip;
  at::Tensor truth;                 // f32 [T, H, W]
  std::vector<double> wrong, back;  // factor a frame, put in and found
};

Jittered jittered(const testing::SceneOptions& scene) {
  Jittered out{.clip = testing::moving_square(scene), .truth = {}, .wrong = {}, .back = {}};
  out.truth = *out.clip.depth;
  out.clip.depth = out.truth.clone();
  Random random(3);
  for (int64_t t = 0; t < out.clip.length(); ++t) {
    out.wrong.push_back(std::exp(0.25 * random.normal()));
    (*out.clip.depth)[t].mul_(out.wrong.back());
  }
  const at::Tensor aligned = align_scales(out.clip, testing::context());
  for (int64_t t = 0; t < out.clip.length(); ++t) {
    out.back.push_back((aligned[t] / (*out.clip.depth)[t]).median().item<double>());
  }
  return out;
}

double worst_disagreement(const Jittered& result) {
  double worst = 0;
  for (size_t t = 1; t < result.wrong.size(); ++t) {
    const double kept = result.wrong[t] * result.back[t], first = result.wrong[0] * result.back[0];
    worst = std::max(worst, std::abs(kept / first - 1));
  }
  return worst;
}

TEST(AlignScales, BringsTheFramesOfAStaticCameraToOneScale) {
  EXPECT_LT(worst_disagreement(jittered({.frames = 12, .height = 192, .width = 256})), 0.01);
}

TEST(AlignScales, CameraMotionDoesNotChangeTheScale) {
  EXPECT_LT(worst_disagreement(
                jittered({.frames = 12, .height = 192, .width = 256, .camera_speed_x = 0.03})),
            0.01);
}

TEST(AlignScales, TheGeometricMeanOfTheFactorsIsOne) {
  double sum = 0;
  for (const double factor : jittered({.frames = 6, .height = 192, .width = 256}).back) {
    sum += std::log(factor);
  }
  EXPECT_NEAR(sum, 0, 1e-4);
}

TEST(AlignScales, WithoutTextureTheFramesStayAsTheyAre) {
  Clip clip = testing::moving_square({.frames = 4});
  clip.frames = at::full_like(clip.frames, 128);
  EXPECT_TRUE(at::equal(align_scales(clip, testing::context()), *clip.depth));
}

TEST(AlignScales, NeedsACamera) {
  Clip clip = testing::moving_square({.frames = 4});
  clip.camera.reset();
  EXPECT_THROW(align_scales(clip, testing::context()), DataError);
}

}  // namespace
}  // namespace momap
