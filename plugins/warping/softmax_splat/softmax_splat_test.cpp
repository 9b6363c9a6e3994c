// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/random.h>
#include <momap/data/geometry.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <scenes.h>
#include <softmax_splat/splat.h>
#include <tbb/global_control.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using momap::testing::context;
using momap::warping::Blend;

momap::PartialClip warp(const momap::Image& image, const momap::MoMap& momap,
                        const std::string& params = "{}") {
  return momap::testing::make_plugin<momap::Warper>("warping/softmax_splat", params)
      ->warp(image, momap, context());
}

momap::MoMap wall(int64_t frames, int64_t height, int64_t width, float depth) {
  const momap::Camera camera{
      100,   100,   0.5 * static_cast<double>(width - 1), 0.5 * static_cast<double>(height - 1),
      width, height};
  const at::Tensor points = momap::unproject(at::full({height, width}, depth), camera);
  return {points.expand({frames, height, width, 3}).clone(),
          at::ones({frames, height, width}, at::kBool), at::ones({height, width}, at::kBool),
          camera};
}

momap::Image noise_image(int64_t height, int64_t width) {
  momap::Random random(5);
  at::Tensor rgb = at::empty({height, width, 3}, at::kByte);
  for (int64_t i = 0; i < rgb.numel(); ++i) {
    rgb.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(random.below(256));
  }
  return {rgb};
}

int64_t count(const at::Tensor& mask) { return mask.sum().item<int64_t>(); }

/// Points with distinct fractions, so that no pixel border is within a finite-difference step.
struct Problem {
  static constexpr int64_t kCount = 40, kHeight = 6, kWidth = 7;
  std::vector<float> colour, position, metric, target;

  Problem() {
    momap::Random random(11);
    for (int64_t i = 0; i < kCount; ++i) {
      for (int c = 0; c < 3; ++c) colour.push_back(static_cast<float>(random.uniform()));
      const auto x = static_cast<float>(random.below(kWidth + 1)) - 1;
      const auto y = static_cast<float>(random.below(kHeight + 1)) - 1;
      position.push_back(x + 0.1f + 0.8f * static_cast<float>(random.uniform()));
      position.push_back(y + 0.1f + 0.8f * static_cast<float>(random.uniform()));
      metric.push_back(0.5f + static_cast<float>(random.uniform()));
    }
    for (int64_t i = 0; i < 3 * kHeight * kWidth; ++i) {
      target.push_back(static_cast<float>(random.normal()));
    }
  }

  struct Result {
    std::vector<momap::warping::SplatSums> sums;
    std::vector<float> out, weights;
  };
  Result forward(Blend blend) const {
    Result r{std::vector<momap::warping::SplatSums>(kHeight * kWidth),
             std::vector<float>(3 * kHeight * kWidth), std::vector<float>(kCount)};
    momap::warping::splat_forward({kCount, colour.data(), position.data(), metric.data()}, blend,
                                  kHeight, kWidth, r.sums.data(), r.out.data(), r.weights.data());
    return r;
  }

  /// A linear loss: the gradient by the output is `target`.
  double loss(Blend blend) const {
    const Result r = forward(blend);
    double sum = 0;
    for (size_t i = 0; i < target.size(); ++i) sum += static_cast<double>(target[i]) * r.out[i];
    return sum;
  }
};

TEST(SoftmaxSplat, GradientsEqualFiniteDifferences) {
  for (const Blend blend : {Blend::sum, Blend::average, Blend::linear, Blend::softmax}) {
    Problem problem;
    const auto r = problem.forward(blend);
    std::vector<float> by_colour(problem.colour.size()), by_position(problem.position.size()),
        by_metric(problem.metric.size());
    momap::warping::splat_backward(
        {Problem::kCount, problem.colour.data(), problem.position.data(), problem.metric.data()},
        blend, Problem::kHeight, Problem::kWidth, r.sums.data(), r.out.data(), r.weights.data(),
        problem.target.data(), by_colour.data(), by_position.data(), by_metric.data());
    const auto compare = [&](std::vector<float>& values, const std::vector<float>& gradient) {
      constexpr float kStep = 0.01f;
      for (size_t i = 0; i < values.size(); ++i) {
        const float value = values[i];
        values[i] = value + kStep;
        const double above = problem.loss(blend);
        values[i] = value - kStep;
        const double below = problem.loss(blend);
        values[i] = value;
        const double expected = (above - below) / (2 * kStep);
        EXPECT_NEAR(gradient[i], expected, 2e-3 + 0.01 * std::abs(expected))
            << "blend " << static_cast<int>(blend) << ", element " << i;
      }
    };
    compare(problem.colour, by_colour);
    compare(problem.position, by_position);
    compare(problem.metric, by_metric);
  }
}

TEST(SoftmaxSplat, MixesTwoPointsByTheirWeights) {
  // Both on one pixel: colours 1 and 3, metrics 0 and ln 3.
  const std::vector<float> colour{1, 1, 1, 3, 3, 3}, position{0, 0, 0, 0};
  const std::vector<float> metric{1.0f, 1.0f + std::log(3.0f)}, linear{1.0f, 4.0f};
  momap::warping::SplatSums sums;
  float out[3], weights[2];
  const auto mixed = [&](Blend blend, const std::vector<float>& by) {
    momap::warping::splat_forward({2, colour.data(), position.data(), by.data()}, blend, 1, 1,
                                  &sums, out, weights);
    return out[0];
  };
  EXPECT_FLOAT_EQ(mixed(Blend::sum, metric), 4.0f);
  EXPECT_FLOAT_EQ(mixed(Blend::average, metric), 2.0f);
  EXPECT_NEAR(mixed(Blend::softmax, metric), (1 + 3 * 3) / 4.0, 1e-6);
  EXPECT_NEAR(mixed(Blend::linear, linear), (1 + 4 * 3) / 5.0, 1e-6);
}

TEST(SoftmaxSplat, ToleratesAnyMetric) {
  const std::vector<float> colour{1, 1, 1, 3, 3, 3}, position{0, 0, 1, 0};
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const auto& metric : {std::vector<float>{-1e30f, 1e30f}, {3e38f, -3e38f}, {500, 0}}) {
    momap::warping::SplatSums sums[2];
    float out[6], weights[2];
    momap::warping::splat_forward({2, colour.data(), position.data(), metric.data()},
                                  Blend::softmax, 1, 2, sums, out, weights);
    EXPECT_FLOAT_EQ(out[0], 1);
    EXPECT_FLOAT_EQ(out[3], 3);
  }
  const std::vector<float> broken{kInf, std::nanf("")};
  momap::warping::SplatSums sums[2];
  float out[6], weights[2];
  momap::warping::splat_forward({2, colour.data(), position.data(), broken.data()}, Blend::softmax,
                                1, 2, sums, out, weights);
  for (const float value : out) EXPECT_EQ(value, 0);
}

TEST(SoftmaxSplat, GivesTheImageBackWhenNothingMoves) {
  for (const auto& [height, width] :
       {std::pair{24, 32}, std::pair{1, 1}, std::pair{7, 1}, std::pair{1, 9}}) {
    const momap::Image image = noise_image(height, width);
    for (const char* blend : {"sum", "average", "linear", "softmax"}) {
      const auto out =
          warp(image, wall(2, height, width, 2.0f), "{blend: " + std::string(blend) + "}");
      EXPECT_TRUE(out.covered.all().item<bool>());
      EXPECT_LE((out.frames[1].to(at::kInt) - image.rgb.to(at::kInt)).abs().max().item<int>(), 1);
      EXPECT_TRUE(at::allclose(out.depth, at::full_like(out.depth, 2.0f)));
      EXPECT_EQ(count(out.dropped), 0);
    }
  }
}

TEST(SoftmaxSplat, LetsTheNearerSurfaceHideTheFarther) {
  const momap::Image image = noise_image(30, 60);
  image.rgb.slice(1, 0, 10).fill_(200);
  momap::MoMap map = wall(1, 30, 60, 4.0f);
  at::Tensor depth = at::full({30, 60}, 4.0f);
  depth.slice(1, 0, 10).fill_(2.0f);
  map.xyz.copy_(momap::unproject(depth, map.camera));
  map.xyz[0].slice(1, 0, 10).select(-1, 0).add_(25 * 2.0 / 100);
  const momap::PartialClip out = warp(image, map);
  EXPECT_TRUE((out.frames[0].slice(1, 25, 35) == 200).all().item<bool>());
  EXPECT_TRUE(at::equal(out.frames[0].slice(1, 36, 59), image.rgb.slice(1, 36, 59)));
  EXPECT_EQ(out.dropped[0][static_cast<int64_t>(momap::DropReason::hidden)].item<int64_t>(),
            30 * 10);
  EXPECT_EQ(count(out.covered.logical_not()), 30 * 10);
}

TEST(SoftmaxSplat, CountsWhatItCannotDrawAndStaysFinite) {
  const momap::Image image = noise_image(8, 8);
  momap::MoMap map = wall(1, 8, 8, 2.0f);
  auto xyz = map.xyz.accessor<float, 4>();
  xyz[0][0][0][2] = -2.0f;
  xyz[0][0][7][2] = 0.0f;
  xyz[0][7][0][0] = std::numeric_limits<float>::quiet_NaN();
  xyz[0][7][7][2] = std::numeric_limits<float>::infinity();
  xyz[0][3][3][0] = 3e38f;
  xyz[0][4][4][2] = 1e-38f;
  map.valid[5][5].fill_(false);
  const momap::PartialClip out = warp(image, map, "{unknown_depth: hole}");
  EXPECT_EQ(out.dropped.view(-1).equal(at::tensor({1, 0, 2, 2, 2, 0, 0}, at::kLong)), true)
      << out.dropped;
  EXPECT_EQ(count(out.covered), 64 - 7);
  EXPECT_TRUE(out.depth.isfinite().all().item<bool>());
  map.valid.fill_(false);
  EXPECT_FALSE(warp(image, map).covered.any().item<bool>());
}

TEST(SoftmaxSplat, GivesTheSameBytesForAnyNumberOfThreads) {
  const momap::Clip clip = momap::testing::moving_square();
  const momap::PartialClip many = warp(clip.image(0), clip.truth.at(0).motion);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const momap::PartialClip single = warp(clip.image(0), clip.truth.at(0).motion);
  EXPECT_TRUE(at::equal(many.frames, single.frames));
  EXPECT_TRUE(at::equal(many.depth, single.depth));
  EXPECT_TRUE(at::equal(many.dropped, single.dropped));
}

}  // namespace
