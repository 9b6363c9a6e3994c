// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/experiment/results.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace momap {
namespace {

using nlohmann::json;

constexpr uint64_t kLargestFile = uint64_t{1} << 32;

std::string key_of(const json& score) {
  return score.at("step").get<std::string>() + "." + score.at("name").get<std::string>();
}

}  // namespace

RunResult read_run(const std::filesystem::path& folder) {
  RunResult out;
  try {
    const json run = json::parse(read_file(folder / "run.json"));
    for (const auto& score : run.at("scores")) {
      out.scores.push_back({.key = key_of(score),
                            .unit = score.at("unit"),
                            .higher_is_better = score.at("better") == "higher",
                            .protocol = score.at("protocol")});
    }
    for (const auto& step : run.at("steps")) {
      const int64_t calls = step.at("computed");
      double seconds = step.at("seconds");
      if (calls == 0) continue;
      // The first call warms up; it counts only where there is no other.
      if (calls > 1) seconds -= step.at("first_seconds").get<double>();
      out.step_seconds[step.at("step")] =
          seconds / static_cast<double>(std::max<int64_t>(1, calls - 1));
    }
    for (const auto& [id, plugin] : run.at("plugins").items()) out.plugins[id] = plugin.at("hash");
    out.graph = run.at("graph");
    out.samples = run.at("done");
    std::istringstream lines(read_file(folder / "scores.jsonl", kLargestFile));
    for (std::string line; std::getline(lines, line);) {
      const json sample = json::parse(line);
      for (const auto& score : sample.at("scores")) {
        const std::string key = key_of(score);
        if (score.contains("undefined")) {
          ++out.undefined[key];
          continue;
        }
        const std::string which = fmt::format("{}/{}", sample.at("sample").get<std::string>(),
                                              score.at("k").get<int64_t>());
        out.values[key][which] = score.at("value");
      }
    }
  } catch (const json::exception& e) {
    throw DataError(
        fmt::format("{}: is not the record of a finished run: {}", shown(folder), e.what()));
  } catch (const ConfigError& e) {
    throw DataError(
        fmt::format("{}: is not the record of a finished run: {}", shown(folder), e.what()));
  }
  return out;
}

RunResult pooled_runs(const std::vector<std::pair<uint64_t, RunResult>>& runs) {
  RunResult out;
  std::map<std::string, int> timed;
  for (const auto& [seed, run] : runs) {
    if (out.scores.empty()) {
      out.scores = run.scores;
      out.plugins = run.plugins;
      out.graph = run.graph;
    }
    out.samples += run.samples;
    for (const auto& [key, values] : run.values) {
      for (const auto& [sample, value] : values) {
        out.values[key][fmt::format("{}/{}", sample, seed)] = value;
      }
    }
    for (const auto& [key, count] : run.undefined) out.undefined[key] += count;
    for (const auto& [step, seconds] : run.step_seconds) {
      const int n = timed[step]++;
      double& mean = out.step_seconds[step];
      mean += (seconds - mean) / (n + 1);
    }
  }
  return out;
}

}  // namespace momap
