// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/job.h>
#include <momap/experiment/statistics.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace momap {

/// What a score declares of itself.
struct ScoreInfo {
  std::string key;  ///< "step.name"
  std::string unit;
  bool higher_is_better = true;
  uint32_t protocol = 1;
};

/// What a run folder says: scores of its samples and cost of its steps.
struct RunResult {
  std::vector<ScoreInfo> scores;               ///< in the order of the run
  std::map<std::string, SampleValues> values;  ///< by score key, then "sample/k"
  std::map<std::string, int64_t> undefined;    ///< how many values have a reason instead
  std::map<std::string, double> step_seconds;  ///< a computed call of each step, warm
  std::map<std::string, std::string> plugins;  ///< id -> library hash
  std::string graph;                           ///< resolved YAML
  int64_t samples = 0;
};

/// Reads `run.json` and `scores.jsonl` of a finished run. Throws DataError when they are not there
/// or not sound.
RunResult read_run(const std::filesystem::path& folder);

/// The same from several runs that share all but the seed: samples are told apart by the seed too.
RunResult pooled_runs(const std::vector<std::pair<uint64_t, RunResult>>& runs);

}  // namespace momap
