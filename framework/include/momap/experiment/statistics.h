// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/bootstrap.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace momap {

/// One score of many samples, by a key that tells the sample, the future and the seed.
using SampleValues = std::map<std::string, double>;

/// Mean with its 95 % bootstrap interval; the mean alone (low = high) for one sample. Throws
/// std::invalid_argument for none.
Interval mean_of(const SampleValues& values);

/// Mean of a - b over the samples both have; nothing when there is none.
std::optional<Interval> paired_difference(const SampleValues& a, const SampleValues& b);

/// Ranks from 1 by mean; entries whose paired difference from the best of a rank has an interval
/// that contains 0 share it. Entries without values get 0.
std::vector<int> tied_ranks(const std::vector<SampleValues>& entries, bool higher_is_better);

/// Positions of the points that no other beats in one coordinate without losing in the other:
/// `better` as told, `cost` lower.
std::vector<size_t> pareto_front(const std::vector<double>& score, bool higher_is_better,
                                 const std::vector<double>& cost);

}  // namespace momap
