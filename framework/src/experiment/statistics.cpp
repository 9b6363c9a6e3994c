// SPDX-License-Identifier: Apache-2.0
#include <momap/experiment/statistics.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace momap {
namespace {

Interval mean_of(const std::vector<double>& values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  return bootstrap_mean(values).value_or(Interval{mean, mean, mean});
}

}  // namespace

Interval mean_of(const SampleValues& samples) {
  if (samples.empty()) throw std::invalid_argument("the mean of no samples");
  std::vector<double> values;
  for (const auto& [key, value] : samples) values.push_back(value);
  return mean_of(values);
}

std::optional<Interval> paired_difference(const SampleValues& a, const SampleValues& b) {
  std::vector<double> differences;
  for (const auto& [key, value] : a) {
    const auto found = b.find(key);
    if (found != b.end()) differences.push_back(value - found->second);
  }
  if (differences.empty()) return std::nullopt;
  return mean_of(differences);
}

std::vector<int> tied_ranks(const std::vector<SampleValues>& entries, bool higher_is_better) {
  std::vector<int> ranks(entries.size(), 0);
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].empty()) continue;
    double sum = 0;
    for (const auto& [key, value] : entries[i]) sum += value;
    const double mean = sum / static_cast<double>(entries[i].size());
    order.emplace_back(higher_is_better ? -mean : mean, i);
  }
  std::ranges::sort(order);
  size_t leader = 0;
  for (size_t place = 0; place < order.size(); ++place) {
    const size_t i = order[place].second;
    const auto gap =
        place == 0 ? std::nullopt : paired_difference(entries[i], entries[order[leader].second]);
    // One sample tells nobody apart.
    const bool tied =
        gap && ((gap->low <= 0 && gap->high >= 0) ||
                std::min(entries[i].size(), entries[order[leader].second].size()) < 2);
    if (!tied) leader = place;
    ranks[i] = static_cast<int>(leader) + 1;
  }
  return ranks;
}

std::vector<size_t> pareto_front(const std::vector<double>& score, bool higher_is_better,
                                 const std::vector<double>& cost) {
  std::vector<size_t> front;
  const auto loss = [&](size_t i) { return higher_is_better ? -score[i] : score[i]; };
  for (size_t i = 0; i < score.size(); ++i) {
    bool beaten = false;
    for (size_t j = 0; j < score.size() && !beaten; ++j) {
      const bool no_worse = loss(j) <= loss(i) && cost[j] <= cost[i];
      beaten = no_worse && (loss(j) < loss(i) || cost[j] < cost[i]);
    }
    if (!beaten) front.push_back(i);
  }
  return front;
}

}  // namespace momap
