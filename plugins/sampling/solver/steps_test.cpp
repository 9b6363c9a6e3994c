// SPDX-License-Identifier: Apache-2.0
#include "steps.h"

#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>

namespace {

using momap::NoiseSchedule;
using momap::Prediction;
using sampling::Spacing;
using sampling::StepOptions;

std::vector<double> times_of(const sampling::Steps& steps) {
  std::vector<double> out;
  for (const auto& step : steps.list) out.push_back(step.time);
  return out;
}

// Ten timesteps whose signal falls from 0.9 to 0.
NoiseSchedule ten(bool to_zero = false) {
  std::vector<double> power;
  for (int i = 0; i < 10; ++i) power.push_back(0.9 - (to_zero ? 0.1 : 0.09) * i);
  if (to_zero) power.back() = 0;
  return NoiseSchedule::table(power);
}

TEST(NoiseSchedule, TablesHaveTheCumulatedProductsOfTheirBetas) {
  const auto schedule = NoiseSchedule::from_betas({0.1, 0.2, 0.5});
  EXPECT_NEAR(schedule.signal_power()[0], 0.9, 1e-15);
  EXPECT_NEAR(schedule.signal_power()[1], 0.72, 1e-15);
  EXPECT_NEAR(schedule.signal_power()[2], 0.36, 1e-15);
  EXPECT_NEAR(schedule.at(2).alpha, 0.6, 1e-15);
  EXPECT_NEAR(schedule.at(2).sigma, 0.8, 1e-15);
  // Between timesteps sigma / alpha is interpolated: at 2 it is 4/3, at 1 sqrt(0.28 / 0.72).
  const auto between = schedule.at(1.25);
  EXPECT_NEAR(between.sigma / between.alpha, 0.75 * std::sqrt(0.28 / 0.72) + 0.25 * 4 / 3, 1e-14);
  EXPECT_NEAR(between.alpha * between.alpha + between.sigma * between.sigma, 1, 1e-14);
}

TEST(NoiseSchedule, ZeroTerminalKeepsTheFirstTimestepAndEndsWithoutSignal) {
  const auto schedule = NoiseSchedule::scaled_linear(0.00085, 0.012, 1000, true);
  EXPECT_NEAR(schedule.signal_power().front(), 1 - 0.00085, 1e-12);
  EXPECT_EQ(schedule.at(999).alpha, 0);
  EXPECT_EQ(schedule.at(999).sigma, 1);
  EXPECT_TRUE(std::isfinite(schedule.at(998.5).sigma));
}

TEST(NoiseSchedule, TimeOfRatioTurnsAtBack) {
  for (const auto& [schedule, times] :
       {std::pair{NoiseSchedule::cosine(), std::vector{0.05, 0.4, 0.97}},
        {NoiseSchedule::flow(), {0.05, 0.4, 0.97}},
        {NoiseSchedule::scaled_linear(), {0, 3, 500, 999}}}) {
    for (const double time : times) {
      const auto level = schedule.at(time);
      EXPECT_NEAR(schedule.time_of_ratio(level.sigma / level.alpha), time, 1e-9);
    }
  }
}

TEST(NoiseSchedule, TrainingAsksAtWholeTimestepsOfATable) {
  EXPECT_EQ(ten().training_time(0), 0);
  EXPECT_EQ(ten().training_time(0.39), 3);
  EXPECT_EQ(ten().training_time(0.9999), 9);
  EXPECT_EQ(NoiseSchedule::flow().training_time(0.39), 0.39);
}

TEST(NoiseSchedule, RefusesATableThatDoesNotFall) {
  EXPECT_THROW(NoiseSchedule::table({0.9}), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::table({0.5, 0.6}), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::table({1.0, 0.6}), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::table({0.5, NAN}), std::invalid_argument);
}

TEST(Steps, AreWhereTheSpacingSays) {
  const auto ddim = [](Spacing spacing, int64_t offset = 0) {
    return times_of(
        sampling::ddim_steps(ten(), Prediction::v, StepOptions{3, spacing, offset, false, true}));
  };
  EXPECT_EQ(ddim(Spacing::leading), (std::vector<double>{6, 3, 0}));
  EXPECT_EQ(ddim(Spacing::leading, 1), (std::vector<double>{7, 4, 1}));
  EXPECT_EQ(ddim(Spacing::linspace), (std::vector<double>{9, 4, 0}));  // 4.5 to the even one
  EXPECT_EQ(ddim(Spacing::trailing), (std::vector<double>{9, 6, 2}));  // 10 - 1, 6.67 - 1, 3.33 - 1
  EXPECT_EQ(times_of(sampling::euler_steps(ten(), Prediction::v, {3, Spacing::linspace})),
            (std::vector<double>{9, 4.5, 0}));
  EXPECT_EQ(times_of(sampling::dpm_solver_steps(ten(), Prediction::v, {2, Spacing::leading})),
            (std::vector<double>{6, 3}));
  EXPECT_EQ(times_of(sampling::ddim_steps(NoiseSchedule::flow(), Prediction::flow, {4})),
            (std::vector<double>{1, 0.75, 0.5, 0.25}));
}

TEST(Steps, EndCleanOrAtTheFirstTimestep) {
  StepOptions options{5, Spacing::leading, 0, false, true};
  EXPECT_EQ(sampling::euler_steps(ten(), Prediction::v, options).list.back().to.sigma, 0);
  options.ends_clean = false;
  EXPECT_NEAR(sampling::ddim_steps(ten(), Prediction::v, options).list.back().to.alpha,
              std::sqrt(0.9), 1e-15);
}

TEST(Steps, KarrasSpacingIsEvenInTheSeventhRoot) {
  for (const auto& schedule : {NoiseSchedule::flow(), NoiseSchedule::cosine()}) {
    const auto steps =
        sampling::euler_steps(schedule, Prediction::v, {4, Spacing::trailing, 0, true});
    std::vector<double> roots;
    for (const auto& step : steps.list) {
      roots.push_back(std::pow(step.from.sigma / step.from.alpha, 1.0 / 7));
      const auto level = schedule.at(step.time);
      EXPECT_NEAR(level.sigma, step.from.sigma, 1e-12);
    }
    EXPECT_NEAR(std::pow(roots.front(), 7), 80, 1e-9);
    EXPECT_NEAR(std::pow(roots.back(), 7), 0.002, 1e-12);
    EXPECT_NEAR(roots[0] - roots[1], roots[2] - roots[3], 1e-12);
  }
}

TEST(Steps, WhatDoesNotFitTheTableIsAConfigError) {
  EXPECT_THROW(sampling::ddim_steps(ten(), Prediction::v, {11}), momap::ConfigError);
  EXPECT_THROW(sampling::dpm_solver_steps(ten(), Prediction::v, {10}), momap::ConfigError);
  EXPECT_THROW(sampling::ddim_steps(ten(), Prediction::v, {5, Spacing::leading, 3}),
               momap::ConfigError);
  EXPECT_THROW(sampling::ddim_steps(ten(true), Prediction::epsilon, {5}), momap::ConfigError);
  EXPECT_NO_THROW(sampling::ddim_steps(ten(true), Prediction::v, {5}));
  EXPECT_NO_THROW(sampling::ddim_steps(ten(true), Prediction::epsilon, {5, Spacing::leading}));
}

}  // namespace
