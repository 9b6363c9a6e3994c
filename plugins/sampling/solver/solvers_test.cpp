// SPDX-License-Identifier: Apache-2.0
#include "solvers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace {

using momap::NoiseLevel;
using momap::NoiseSchedule;
using momap::Prediction;
using sampling::Estimate;
using sampling::Steps;

// The exact denoiser of x_0 ~ N(mean, deviation^2).
Estimate exact(const at::Tensor& x, NoiseLevel level, double mean, double deviation) {
  const double variance = deviation * deviation;
  const double total = level.alpha * level.alpha * variance + level.sigma * level.sigma;
  const at::Tensor excess = x - level.alpha * mean;
  return {mean + level.alpha * variance / total * excess, level.sigma / total * excess};
}

using Solver = at::Tensor (*)(const at::Tensor&, const Steps&, const sampling::Denoise&);
constexpr Solver kDdim = [](const at::Tensor& x, const Steps& s, const sampling::Denoise& d) {
  return sampling::ddim(x, s, d, 0, 0, [] { return at::Tensor(); });
};
constexpr Solver kEuler = [](const at::Tensor& x, const Steps& s, const sampling::Denoise& d) {
  return sampling::euler(x, s, d);
};
constexpr Solver kHeun = [](const at::Tensor& x, const Steps& s, const sampling::Denoise& d) {
  return sampling::heun(x, s, d);
};
constexpr Solver kDpmSolver = [](const at::Tensor& x, const Steps& s, const sampling::Denoise& d) {
  return sampling::dpm_solver_pp_2m(x, s, d);
};

// Even in the angle atan(sigma / alpha) from pi/2 - 0.2 to 0.2; no step from pure noise or to
// clean, where orders say nothing.
Steps middle_steps(int64_t count) {
  Steps out;
  const auto level = [&](int64_t i) {
    const double angle =
        std::numbers::pi / 2 - 0.2 -
        (std::numbers::pi / 2 - 0.4) * static_cast<double>(i) / static_cast<double>(count);
    return NoiseLevel{std::cos(angle), std::sin(angle)};
  };
  for (int64_t i = 0; i < count; ++i) {
    out.list.push_back({static_cast<double>(i), level(i), level(i + 1)});
  }
  return out;
}

// Where the probability-flow equation takes x from one level to another: x - alpha mean grows as
// the marginal's deviation.
double exact_flow(double x, NoiseLevel from, NoiseLevel to, double mean, double deviation) {
  const auto spread = [&](NoiseLevel l) { return std::hypot(l.alpha * deviation, l.sigma); };
  return to.alpha * mean + (x - from.alpha * mean) * spread(to) / spread(from);
}

double error_after(Solver solve, int64_t count) {
  constexpr double kMean = 0.7;
  constexpr double kDeviation = 0.4;
  constexpr double kStart = 1.3;
  const Steps steps = middle_steps(count);
  const at::Tensor x = at::full({1, 1, 1, 1}, kStart, at::kDouble);
  const at::Tensor end = solve(x, steps, [&](const at::Tensor& y, double, NoiseLevel level) {
    return exact(y, level, kMean, kDeviation);
  });
  return std::abs(end.item<double>() - exact_flow(kStart, steps.list.front().from,
                                                  steps.list.back().to, kMean, kDeviation));
}

TEST(Solvers, ConvergeToTheExactFlowWithTheirOrder) {
  for (const Solver solver : {kDdim, kEuler}) {
    const double order = std::log2(error_after(solver, 80) / error_after(solver, 160));
    EXPECT_NEAR(order, 1, 0.1);
  }
  for (const Solver solver : {kDpmSolver, kHeun}) {
    const double coarse = error_after(solver, 80);
    EXPECT_GT(std::log2(coarse / error_after(solver, 160)), 1.7);
    EXPECT_LT(coarse, 0.2 * error_after(kEuler, 80));
  }
  EXPECT_NEAR(std::log2(error_after(kHeun, 80) / error_after(kHeun, 160)), 2, 0.3);
}

TEST(Solvers, ReachACertainAnswerInAnyNumberOfSteps) {
  const at::Tensor x = at::randn({2, 3, 4, 4}, at::kDouble);
  for (const auto& schedule :
       {NoiseSchedule::cosine(), NoiseSchedule::flow(), NoiseSchedule::scaled_linear()}) {
    for (const int64_t count : {1, 2, 3, 20}) {
      const auto steps = sampling::euler_steps(schedule, Prediction::v, {count});
      for (const Solver solver : {kDdim, kEuler, kHeun, kDpmSolver}) {
        const at::Tensor end = solver(x, steps, [](const at::Tensor& y, double, NoiseLevel level) {
          return Estimate{at::full_like(y, -0.7), (y - level.alpha * -0.7) / level.sigma};
        });
        EXPECT_TRUE(at::allclose(end, at::full_like(end, -0.7), 0, 1e-12)) << count;
      }
    }
  }
}

// One value through two steps, worked by hand: levels (0.6, 0.8) -> (0.8, 0.6) -> clean, and the
// denoiser says x_0 = 0.5 x, so eps = (x - alpha x / 2) / sigma.
TEST(Solvers, TwoStepsByHand) {
  const Steps steps{{{1, {0.6, 0.8}, {0.8, 0.6}}, {0, {0.8, 0.6}, {1, 0}}}, 1};
  const at::Tensor x = at::full({1, 1, 1, 1}, 1.0, at::kDouble);
  const sampling::Denoise half = [](const at::Tensor& y, double, NoiseLevel level) {
    return Estimate{0.5 * y, (y - level.alpha * 0.5 * y) / level.sigma};
  };
  // x_0 = 0.5, eps = 0.7 / 0.8 = 0.875: x' = 0.8 * 0.5 + 0.6 * 0.875 = 0.925; then 0.4625.
  EXPECT_NEAR(kDdim(x, steps, half).item<double>(), 0.4625, 1e-15);
  EXPECT_NEAR(kEuler(x, steps, half).item<double>(), 0.4625, 1e-15);
  EXPECT_NEAR(kDpmSolver(x, steps, half).item<double>(), 0.4625, 1e-12);
  // Heun: slopes eps - x_0 are 0.375 and, at x' = 0.925, 0.925 (0.6 / 0.6 - 0.5) = 0.4625; y goes
  // from 1 / 1.4 by (0.6 - 0.8) / 1.4 times their mean; x = 1.4 y = 1 - 0.2 * 0.41875 = 0.91625.
  EXPECT_NEAR(kHeun(x, steps, half).item<double>(), 0.5 * 0.91625, 1e-15);
}

TEST(Solvers, EveryKindOfPredictionGivesTheSameEstimate) {
  const at::Tensor clean = at::randn({2, 3}, at::kDouble);
  const at::Tensor noise = at::randn({2, 3}, at::kDouble);
  for (const NoiseLevel level : {NoiseLevel{0.6, 0.8}, NoiseLevel{0.3, 0.7}}) {
    const double power = level.alpha * level.alpha + level.sigma * level.sigma;
    const at::Tensor noisy = level.alpha * clean + level.sigma * noise;
    const auto expect = [&](Prediction kind, const at::Tensor& prediction) {
      const Estimate e = sampling::estimate(noisy, prediction, kind, level);
      EXPECT_TRUE(at::allclose(e.clean, clean, 1e-12, 1e-12)) << static_cast<int>(kind);
      EXPECT_TRUE(at::allclose(e.noise, noise, 1e-12, 1e-12)) << static_cast<int>(kind);
    };
    expect(Prediction::epsilon, noise);
    expect(Prediction::x0, clean);
    expect(Prediction::flow, noise - clean);
    if (std::abs(power - 1) < 1e-12) {
      expect(Prediction::v, level.alpha * noise - level.sigma * clean);
    }
  }
}

}  // namespace
