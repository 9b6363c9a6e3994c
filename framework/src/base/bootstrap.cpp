// SPDX-License-Identifier: Apache-2.0
#include <momap/base/bootstrap.h>
#include <momap/base/random.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <vector>

namespace momap {
namespace {

constexpr int kResamples = 10000;
constexpr double kOneSide = 0.025;  // of a 95 % interval

// The share of resamples left out at each end: kOneSide, less for few samples.
double expanded_tail(size_t count) {
  const auto n = static_cast<double>(count);
  const double t = boost::math::quantile(boost::math::students_t(n - 1), kOneSide);
  return boost::math::cdf(boost::math::normal(), t * std::sqrt(n / (n - 1)));
}

// Between the two nearest order statistics.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

}  // namespace

std::optional<Interval> bootstrap(size_t count, const Statistic& statistic, uint64_t seed) {
  if (count < 2) return std::nullopt;
  std::vector<size_t> picked(count);
  std::iota(picked.begin(), picked.end(), size_t{0});
  Interval interval;
  interval.value = statistic(picked);
  Random random(seed);
  std::vector<double> values(kResamples);
  for (double& value : values) {
    for (size_t& position : picked)
      position = static_cast<size_t>(random.below(static_cast<int64_t>(count)));
    value = statistic(picked);
  }
  std::ranges::sort(values);
  const double tail = expanded_tail(count);
  interval.low = quantile(values, tail);
  interval.high = quantile(values, 1 - tail);
  return interval;
}

std::optional<Interval> bootstrap_mean(std::span<const double> values, uint64_t seed) {
  const auto mean = [&](std::span<const size_t> picked) {
    double sum = 0;
    for (const size_t i : picked) sum += values[i];
    return sum / static_cast<double>(picked.size());
  };
  return bootstrap(values.size(), mean, seed);
}

}  // namespace momap
