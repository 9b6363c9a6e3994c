// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/catalog/stamp.h>
#include <momap/run/record.h>
#include <momap/run/threads.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

namespace momap {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostFailuresKept = 100;
constexpr size_t kMostFilesKept = 1000;

const char* direction_name(Direction direction) {
  return direction == Direction::higher_is_better ? "higher" : "lower";
}

std::string dumped(const ordered_json& j, int indent) {
  return j.dump(indent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json host() {
  utsname names{};
  ::uname(&names);
  return {{"system", fmt::format("{} {}", names.sysname, names.release)},
          {"machine", names.machine},
          {"name", names.nodename}};
}

ordered_json plugins_json(const Graph& graph) {
  ordered_json out = ordered_json::object();
  for (const auto& step : graph.steps) {
    out[step.plugin.id] = {{"version", step.plugin.version},
                           {"library", step.plugin.library.string()},
                           {"hash", step.plugin.library_hash}};
  }
  return out;
}

std::string now_text() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// What a score or a total declares of itself. JSON has no infinity: a worst value of null is none.
template <class Declared>
ordered_json declared(const std::string& step, const Declared& value) {
  return {{"step", step},
          {"name", value.name},
          {"unit", value.unit},
          {"better", direction_name(value.direction)},
          {"worst", std::isfinite(value.worst) ? ordered_json(value.worst) : ordered_json()},
          {"protocol", value.protocol}};
}

}  // namespace

double ScoreTotal::spread() const {
  return count > 1 ? std::sqrt(squares / static_cast<double>(count - 1)) : 0.0;
}

RunRecorder::RunRecorder(std::filesystem::path folder, const Graph& graph)
    : folder_(std::move(folder)), graph_(graph) {
  std::error_code error;
  if (std::filesystem::exists(folder_, error) && !std::filesystem::is_empty(folder_, error)) {
    throw ConfigError(
        fmt::format("{}: the run folder is not empty; runs are never overwritten, "
                    "choose another with -o or remove it",
                    shown(folder_)));
  }
  scores_ = std::make_unique<AtomicFile>(folder_ / "scores.jsonl");
}

ScoreTotal& RunRecorder::total(const std::string& step, const ScoreValue& value) {
  const auto found = std::ranges::find_if(
      totals_, [&](const ScoreTotal& t) { return t.step == step && t.name == value.name; });
  if (found != totals_.end()) return *found;
  ScoreTotal fresh;
  fresh.step = step;
  fresh.name = value.name;
  fresh.unit = value.unit;
  fresh.direction = value.direction;
  fresh.worst = value.worst;
  fresh.protocol = value.protocol;
  totals_.push_back(std::move(fresh));
  return totals_.back();
}

void RunRecorder::add(const SampleResult& result) {
  ordered_json line{{"sample", result.name}};
  if (!result.failed_step.empty()) {
    line["failed_step"] = result.failed_step;
    line["failure"] = result.failure;
    if (failures_.size() < kMostFailuresKept) {
      failures_.push_back(fmt::format("sample '{}', step '{}': {}", result.name, result.failed_step,
                                      result.failure));
    }
  }
  ordered_json scores = ordered_json::array();
  for (const auto& [s, k, score] : result.scores) {
    const auto& step = graph_.steps[s].name;
    for (const auto& value : score.values) {
      ordered_json one{{"step", step}, {"k", k}, {"name", value.name}};
      ScoreTotal& sum = total(step, value);
      if (value.value) {
        one["value"] = *value.value;
        ++sum.count;
        const double before = *value.value - sum.mean;
        sum.mean += before / static_cast<double>(sum.count);
        sum.squares += before * (*value.value - sum.mean);
      } else {
        one["undefined"] = value.undefined_reason;
        if (sum.undefined++ == 0) sum.undefined_reason = value.undefined_reason;
      }
      scores.push_back(std::move(one));
    }
  }
  line["scores"] = std::move(scores);
  scores_->write(dumped(line, -1));
  for (const auto& file : result.files) {
    if (files_.size() < kMostFilesKept) files_.push_back(file);
  }
}

void RunRecorder::finish(const RunSummary& summary) {
  scores_->commit();
  ordered_json steps = ordered_json::array();
  for (const auto& figures : summary.steps) {
    steps.push_back({{"step", figures.step},
                     {"plugin", figures.plugin},
                     {"computed", figures.calls},
                     {"from_cache", figures.from_cache},
                     {"seconds", figures.seconds},
                     {"first_seconds", figures.first_seconds},
                     {"largest_output_bytes", figures.largest_output_bytes}});
  }
  ordered_json scores = ordered_json::array();
  for (const auto& sum : totals_) {
    ordered_json one = declared(sum.step, sum);
    one["samples"] = sum.count;
    if (sum.count > 0) {
      one["mean"] = sum.mean;
      one["spread"] = sum.spread();
    }
    if (sum.undefined > 0) {
      one["undefined"] = sum.undefined;
      one["undefined_reason"] = sum.undefined_reason;
    }
    scores.push_back(std::move(one));
  }
  ordered_json pooled = ordered_json::array();
  for (const auto& [step, score] : summary.pooled) {
    for (const auto& value : score.values) {
      ordered_json one = declared(step, value);
      if (value.value) {
        one["value"] = *value.value;
      } else {
        one["undefined_reason"] = value.undefined_reason;
      }
      pooled.push_back(std::move(one));
    }
  }
  write_file(folder_ / "run.json", dumped({{"format", 1},
                                           {"finished", now_text()},
                                           {"graph_file", graph_.file.string()},
                                           {"graph", graph_yaml(graph_)},
                                           {"seed", graph_.seed},
                                           {"plugins", plugins_json(graph_)},
                                           {"build", own_stamp()},
                                           {"host", host()},
                                           {"samples", summary.samples},
                                           {"done", summary.done},
                                           {"failed", summary.failed},
                                           {"cancelled", summary.cancelled},
                                           {"seconds", summary.seconds},
                                           {"peak_resident_bytes", summary.peak_resident_bytes},
                                           {"steps", std::move(steps)},
                                           {"scores", std::move(scores)},
                                           {"pooled", std::move(pooled)},
                                           {"failures", failures_}},
                                          2));
}

std::string summary_text(const RunSummary& summary, const RunRecorder& recorder) {
  std::string out = fmt::format("{:<14} {:<26} {:>8} {:>7} {:>12} {:>12}\n", "step", "plugin",
                                "computed", "cached", "s a sample", "output");
  for (const auto& figures : summary.steps) {
    const int64_t n = figures.calls + figures.from_cache;
    out += fmt::format("{:<14} {:<26} {:>8} {:>7} {:>12} {:>12}\n", figures.step, figures.plugin,
                       figures.calls, figures.from_cache,
                       n ? fmt::format("{:.3f}", figures.seconds / static_cast<double>(n)) : "-",
                       figures.largest_output_bytes
                           ? human_bytes(static_cast<double>(figures.largest_output_bytes))
                           : "-");
  }
  if (!recorder.totals().empty()) {
    out += fmt::format("\n{:<14} {:<22} {:>10} {:>10} {:>8}  {}\n", "step", "score", "mean",
                       "spread", "samples", "better");
  }
  for (const auto& sum : recorder.totals()) {
    const std::string name =
        sum.unit.empty() ? sum.name : fmt::format("{} [{}]", sum.name, sum.unit);
    if (sum.count > 0) {
      out += fmt::format("{:<14} {:<22} {:>10.4f} {:>10.4f} {:>8}  {}", sum.step, name, sum.mean,
                         sum.spread(), sum.count, direction_name(sum.direction));
    } else {
      out += fmt::format("{:<14} {:<22} {:>10}", sum.step, name, "undefined");
    }
    if (sum.undefined > 0) {
      out += fmt::format("  ({} undefined: {})", sum.undefined, sum.undefined_reason);
    }
    out += "\n";
  }
  for (const auto& [step, score] : summary.pooled) {
    for (const auto& value : score.values) {
      const std::string name =
          value.unit.empty() ? value.name : fmt::format("{} [{}]", value.name, value.unit);
      const std::string number = value.value ? fmt::format("{:.4f}", *value.value) : "undefined";
      out += fmt::format("{:<14} {:<22} {:>10}  over all samples  {}\n", step, name, number,
                         value.value ? direction_name(value.direction) : value.undefined_reason);
    }
  }
  for (const auto& failure : recorder.failures()) out += fmt::format("failed: {}\n", failure);
  out +=
      fmt::format("\n{} of {} samples done, {} failed{}; {:.1f} s, peak memory {}\n", summary.done,
                  summary.samples, summary.failed, summary.cancelled ? ", stopped by the user" : "",
                  summary.seconds, human_bytes(static_cast<double>(summary.peak_resident_bytes)));
  return out;
}

}  // namespace momap
