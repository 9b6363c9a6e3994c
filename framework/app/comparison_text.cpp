// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "comparison.h"

namespace momap {
namespace {

using nlohmann::ordered_json;

constexpr size_t kLongestValue = 48;

const char* verdict_text(PairedScore::Verdict verdict) {
  static constexpr std::array kTexts{"A better", "B better", "tied", "one sample: no interval"};
  return kTexts.at(static_cast<size_t>(verdict));
}

std::string shortened(const std::string& text) {
  if (text.empty()) return "-";
  return text.size() <= kLongestValue ? text : "..." + text.substr(text.size() - kLongestValue + 3);
}

std::string differences_text(const std::vector<Difference>& differences, const char* title) {
  if (differences.empty()) return "";
  size_t width = 30;
  size_t width_a = 20;
  for (const auto& one : differences) {
    width = std::max(width, one.what.size());
    width_a = std::max(width_a, shortened(one.a).size());
  }
  std::string out = fmt::format("\n{:<{}}  {:<{}}  {}\n", title, width, "A", width_a, "B");
  for (const auto& one : differences) {
    out += fmt::format("{:<{}}  {:<{}}  {}\n", one.what, width, shortened(one.a), width_a,
                       shortened(one.b));
  }
  return out;
}

std::string title_of(const PairedScore& score) {
  return score.unit.empty() ? fmt::format("{}.{}", score.step, score.name)
                            : fmt::format("{}.{} [{}]", score.step, score.name, score.unit);
}

std::string score_line(const PairedScore& score, size_t width) {
  if (!score.refusal.empty())
    return fmt::format("{:<{}}  not compared: {}\n", title_of(score), width, score.refusal);
  std::string out = fmt::format("{:<{}} {:>11.4f} {:>11.4f} {:>+11.4f}", title_of(score), width,
                                *score.a, *score.b, *score.difference);
  out += score.interval
             ? fmt::format("  [{:+.4f}, {:+.4f}]", score.interval->low, score.interval->high)
             : std::string();
  return out;
}

std::string scores_text(const Comparison& result) {
  size_t width = 24;
  for (const auto* list : {&result.scores, &result.pooled})
    for (const auto& score : *list) width = std::max(width, title_of(score).size());
  std::string out = fmt::format("\n{:<{}} {:>11} {:>11} {:>11}  {}\n", "score", width, "A", "B",
                                "B - A", "95 % interval, samples, verdict");
  for (const auto& score : result.scores) {
    out += score_line(score, width);
    if (!score.refusal.empty()) continue;
    out += fmt::format("  {}  {}", score.pairs, verdict_text(score.verdict()));
    if (score.unpaired > 0) out += fmt::format("  ({} samples without a pair)", score.unpaired);
    out += "\n";
  }
  for (const auto& score : result.pooled) {
    out += score_line(score, width);
    if (score.refusal.empty()) out += "  over all samples\n";
  }
  return out;
}

std::string run_line(const char* name, const FinishedRun& run) {
  return fmt::format("{}  {}  {} samples, {} failed, finished {}\n", name, shown(run.folder),
                     run.samples, run.failed, run.finished);
}

ordered_json json_of(const std::vector<Difference>& differences) {
  ordered_json out = ordered_json::array();
  for (const auto& one : differences)
    out.push_back({{"what", one.what}, {"a", one.a}, {"b", one.b}});
  return out;
}

ordered_json json_of(const PairedScore& score) {
  ordered_json out{{"step", score.step},
                   {"name", score.name},
                   {"unit", score.unit},
                   {"better", score.higher_is_better ? "higher" : "lower"}};
  if (!score.refusal.empty()) {
    out["not_compared"] = score.refusal;
    return out;
  }
  out["a"] = *score.a;
  out["b"] = *score.b;
  out["difference"] = *score.difference;
  if (score.interval) out["interval_95"] = {score.interval->low, score.interval->high};
  return out;
}

ordered_json json_of(const FinishedRun& run) {
  return {{"folder", run.folder.native()},
          {"finished", run.finished},
          {"samples", run.samples},
          {"failed", run.failed}};
}

}  // namespace

std::string comparison_text(const FinishedRun& a, const FinishedRun& b, const Comparison& result) {
  std::string out = run_line("A", a) + run_line("B", b);
  if (result.settings.empty()) out += "\nThe graphs are the same.\n";
  out += differences_text(result.settings, "graph");
  out += differences_text(result.surroundings, "surroundings");
  out += scores_text(result);
  if (result.costs.empty()) return out;
  out += fmt::format("\n{:<24} {:>11} {:>11} {:>11}\n", "seconds a sample", "A", "B", "B / A");
  for (const auto& cost : result.costs) {
    out += fmt::format("{:<24} {:>11.3g} {:>11.3g} {:>11.2f}\n", cost.step, cost.a_seconds,
                       cost.b_seconds, cost.b_seconds / cost.a_seconds);
  }
  return out;
}

std::string comparison_json(const FinishedRun& a, const FinishedRun& b, const Comparison& result) {
  ordered_json scores = ordered_json::array();
  for (const auto& score : result.scores) {
    ordered_json one = json_of(score);
    one["pairs"] = score.pairs;
    one["unpaired"] = score.unpaired;
    if (score.refusal.empty()) one["verdict"] = verdict_text(score.verdict());
    scores.push_back(std::move(one));
  }
  ordered_json pooled = ordered_json::array();
  for (const auto& score : result.pooled) pooled.push_back(json_of(score));
  ordered_json steps = ordered_json::array();
  for (const auto& cost : result.costs) {
    steps.push_back({{"step", cost.step},
                     {"a_seconds_a_sample", cost.a_seconds},
                     {"b_seconds_a_sample", cost.b_seconds}});
  }
  const ordered_json out{{"format", 1},
                         {"a", json_of(a)},
                         {"b", json_of(b)},
                         {"graph", json_of(result.settings)},
                         {"surroundings", json_of(result.surroundings)},
                         {"scores", std::move(scores)},
                         {"pooled", std::move(pooled)},
                         {"steps", std::move(steps)}};
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace momap
