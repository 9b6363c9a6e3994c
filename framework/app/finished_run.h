// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// One named score of a run, sample by sample.
struct RunScore {
  std::string step;
  std::string name;
  std::string unit;
  bool higher_is_better = true;
  uint32_t protocol = 0;
  std::optional<double> mean;  ///< over all samples; nothing where every value was undefined
  /// (sample, which of K futures) -> value; nothing for an undefined one. Empty for pooled scores.
  std::map<std::pair<std::string, int64_t>, std::optional<double>> values;
};

struct RunStep {
  std::string step;
  int64_t computed = 0;    ///< samples
  int64_t from_cache = 0;  ///< samples
  double seconds = 0;      ///< of all calls
};

/// What the folder of a finished run says (docs/concepts/results.md).
struct FinishedRun {
  std::filesystem::path folder;
  std::string finished;  ///< UTC
  int64_t samples = 0;
  int64_t failed = 0;
  std::map<std::string, std::string> settings;  ///< of the graph, flat: "warp.with.radius" -> "2"
  std::map<std::string, std::string> surroundings;  ///< build, host and library of each plugin
  std::map<std::string, int64_t> source_versions;   ///< plugin id -> version
  std::vector<RunStep> steps;
  std::vector<RunScore> scores;
  std::vector<RunScore> pooled;  ///< of all samples together: only `mean` is set
};

/// Reads run.json and scores.jsonl of a folder. Throws ConfigError where they are missing or not
/// what a run writes.
FinishedRun read_finished_run(const std::filesystem::path& folder);

}  // namespace momap
