// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace momap {

/// A figure with its 95 % interval.
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// A statistic of the samples at these positions (with repetitions).
using Statistic = std::function<double(std::span<const size_t> picked)>;

/// 95 % bootstrap interval of a statistic over `count` samples: samples are drawn with replacement,
/// and the quantiles are moved outwards as Student's t asks for few samples (expanded percentile
/// interval; Hesterberg, What Teachers Should Know About the Bootstrap, 2015, section 4.3). Paired
/// when `statistic` takes its numbers of both sides from the same position. The same seed gives the
/// same interval on any machine. Nothing for fewer than two samples.
std::optional<Interval> bootstrap(size_t count, const Statistic& statistic, uint64_t seed = 0);

/// The same for the mean of `values`.
std::optional<Interval> bootstrap_mean(std::span<const double> values, uint64_t seed = 0);

}  // namespace momap
