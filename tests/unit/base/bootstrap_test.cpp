// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/bootstrap.h>
#include <momap/base/random.h>

#include <cmath>
#include <vector>

namespace momap {
namespace {

std::vector<double> normal_sample(size_t count, uint64_t stream) {
  Random random(11, stream);
  std::vector<double> values(count);
  for (double& value : values) value = random.normal();
  return values;
}

TEST(Bootstrap, IntervalOfAMeanIsThatOfStudentsTForNormalSamples) {
  const auto values = normal_sample(400, 0);
  const auto interval = bootstrap_mean(values);
  ASSERT_TRUE(interval);
  double mean = 0;
  for (const double value : values) mean += value / 400;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double half = 1.96593 * std::sqrt(squares / 399 / 400);  // t quantile, 399 degrees
  EXPECT_NEAR(interval->value, mean, 1e-12);
  EXPECT_NEAR(interval->low, mean - half, 0.06 * half);
  EXPECT_NEAR(interval->high, mean + half, 0.06 * half);
}

// The plain percentile interval covers the mean of 8 samples in about 89 of 100 cases.
TEST(Bootstrap, CoversTheTruthInAbout95Of100CasesAlsoForFewSamples) {
  constexpr int kTrials = 300;
  int covered = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto interval = bootstrap_mean(normal_sample(8, static_cast<uint64_t>(trial) + 1));
    covered += interval->low <= 0 && 0 <= interval->high ? 1 : 0;
  }
  EXPECT_GE(covered, kTrials * 92 / 100);
  EXPECT_LE(covered, kTrials * 98 / 100);
}

TEST(Bootstrap, TakesAnyStatisticAndPairsByPosition) {
  const std::vector<double> slow{2, 4, 6, 8, 10};
  const std::vector<double> fast{1, 2, 3, 4, 5};
  const auto ratio = bootstrap(5, [&](std::span<const size_t> picked) {
    double over = 0;
    double under = 0;
    for (const size_t i : picked) {
      over += slow[i];
      under += fast[i];
    }
    return over / under;
  });
  ASSERT_TRUE(ratio);
  EXPECT_EQ(ratio->low, 2);
  EXPECT_EQ(ratio->high, 2);
}

TEST(Bootstrap, GivesTheSameIntervalForTheSameSeedOnly) {
  const auto values = normal_sample(12, 7);
  EXPECT_EQ(bootstrap_mean(values, 3)->low, bootstrap_mean(values, 3)->low);
  EXPECT_NE(bootstrap_mean(values, 3)->low, bootstrap_mean(values, 4)->low);
}

TEST(Bootstrap, OneSampleHasNoInterval) {
  EXPECT_FALSE(bootstrap_mean(std::vector<double>{1.0}));
  EXPECT_FALSE(bootstrap_mean({}));
}

TEST(Bootstrap, TwoSamplesGiveNoMoreThanTheirRange) {
  const auto interval = bootstrap_mean(std::vector<double>{1.0, 3.0});
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->low, 1);
  EXPECT_EQ(interval->high, 3);
}

}  // namespace
}  // namespace momap
