// SPDX-License-Identifier: Apache-2.0
#include "comparison.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

#include <algorithm>
#include <array>

namespace momap {
namespace {

using Texts = std::map<std::string, std::string>;

std::vector<Difference> differences(const Texts& a, const Texts& b) {
  Texts all = a;
  all.insert(b.begin(), b.end());
  std::vector<Difference> out;
  for (const auto& [key, unused] : all) {
    const auto in_a = a.find(key);
    const auto in_b = b.find(key);
    Difference difference{key, in_a == a.end() ? "" : in_a->second,
                          in_b == b.end() ? "" : in_b->second};
    if (difference.a != difference.b) out.push_back(std::move(difference));
  }
  return out;
}

void check_same_data(const FinishedRun& a, const FinishedRun& b) {
  for (const auto& [id, version] : a.source_versions) {
    const auto other = b.source_versions.find(id);
    if (other == b.source_versions.end() || other->second == version) continue;
    throw ConfigError(fmt::format(
        "{} and {} cannot be compared: they read version {} and version {} of {}; run the older "
        "one again",
        shown(a.folder), shown(b.folder), version, other->second, id));
  }
}

const RunScore* find_score(const std::vector<RunScore>& scores, const RunScore& like) {
  const auto found = std::ranges::find_if(scores, [&](const RunScore& score) {
    return score.step == like.step && score.name == like.name;
  });
  return found == scores.end() ? nullptr : &*found;
}

PairedScore declared(const RunScore& a, const RunScore& b) {
  PairedScore out;
  out.step = a.step;
  out.name = a.name;
  out.unit = a.unit;
  out.higher_is_better = a.higher_is_better;
  if (a.protocol != b.protocol) {
    out.refusal = fmt::format("protocol {} against {}", a.protocol, b.protocol);
  } else if (a.unit != b.unit || a.higher_is_better != b.higher_is_better) {
    out.refusal = "declared with another unit or direction";
  }
  return out;
}

// The samples of both runs with a value in each: the mean over futures, so that a sample counts
// once however many futures it has.
PairedScore paired(const RunScore& a, const RunScore& b) {
  PairedScore out = declared(a, b);
  if (!out.refusal.empty()) return out;
  std::map<std::string, std::vector<std::pair<double, double>>> by_sample;
  std::map<std::string, bool> lacking;
  for (const auto& [key, value] : a.values) {
    const auto other = b.values.find(key);
    if (value && other != b.values.end() && other->second) {
      by_sample[key.first].emplace_back(*value, *other->second);
    } else {
      lacking[key.first] = true;
    }
  }
  for (const auto& [key, value] : b.values) {
    if (!a.values.contains(key)) lacking[key.first] = true;
  }
  std::vector<double> changes;
  double sum_a = 0;
  double sum_b = 0;
  for (const auto& [sample, values] : by_sample) {
    lacking.erase(sample);
    const auto futures = static_cast<double>(values.size());
    double mean_a = 0;
    double mean_b = 0;
    for (const auto& [in_a, in_b] : values) {
      mean_a += in_a / futures;
      mean_b += in_b / futures;
    }
    sum_a += mean_a;
    sum_b += mean_b;
    changes.push_back(mean_b - mean_a);
  }
  out.pairs = static_cast<int64_t>(changes.size());
  out.unpaired = static_cast<int64_t>(lacking.size());
  if (changes.empty()) {
    out.refusal = "no sample has a value in both";
    return out;
  }
  const auto n = static_cast<double>(changes.size());
  out.a = sum_a / n;
  out.b = sum_b / n;
  out.difference = (sum_b - sum_a) / n;
  out.interval = bootstrap_mean(changes);
  return out;
}

PairedScore side_by_side(const RunScore& a, const RunScore& b) {
  PairedScore out = declared(a, b);
  if (!out.refusal.empty()) return out;
  out.a = a.mean;
  out.b = b.mean;
  if (a.mean && b.mean) out.difference = *b.mean - *a.mean;
  if (!out.difference) out.refusal = "undefined";
  return out;
}

template <class Pair>
std::vector<PairedScore> all_pairs(const std::vector<RunScore>& a, const std::vector<RunScore>& b,
                                   Pair pair) {
  std::vector<PairedScore> out;
  for (const auto& score : a) {
    if (const RunScore* other = find_score(b, score)) out.push_back(pair(score, *other));
  }
  return out;
}

std::vector<StepCost> costs(const FinishedRun& a, const FinishedRun& b) {
  std::vector<StepCost> out;
  for (const auto& step : a.steps) {
    const auto other = std::ranges::find(b.steps, step.step, &RunStep::step);
    if (other == b.steps.end() || step.from_cache > 0 || other->from_cache > 0) continue;
    if (step.computed == 0 || other->computed == 0 || step.seconds <= 0) continue;
    out.push_back({step.step, step.seconds / static_cast<double>(step.computed),
                   other->seconds / static_cast<double>(other->computed)});
  }
  return out;
}

}  // namespace

PairedScore::Verdict PairedScore::verdict() const {
  if (!interval) return Verdict::unknown;
  if (interval->low <= 0 && interval->high >= 0) return Verdict::tied;
  return (interval->low > 0) == higher_is_better ? Verdict::b_better : Verdict::a_better;
}

Comparison compare_runs(const FinishedRun& a, const FinishedRun& b) {
  check_same_data(a, b);
  Comparison out;
  out.settings = differences(a.settings, b.settings);
  out.surroundings = differences(a.surroundings, b.surroundings);
  out.scores = all_pairs(a.scores, b.scores, paired);
  out.pooled = all_pairs(a.pooled, b.pooled, side_by_side);
  out.costs = costs(a, b);
  const auto usable = [](const PairedScore& score) { return score.refusal.empty(); };
  if (std::ranges::any_of(out.scores, usable) || std::ranges::any_of(out.pooled, usable))
    return out;
  std::vector<std::string> reasons;
  for (const auto& score : out.scores)
    reasons.push_back(fmt::format("{}.{}: {}", score.step, score.name, score.refusal));
  throw ConfigError(fmt::format(
      "{} and {} have no score that can be compared{}", shown(a.folder), shown(b.folder),
      reasons.empty() ? "; scores are matched by step and name, see momap run --json"
                      : ": " + join(reasons, "; ")));
}

}  // namespace momap
