// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/files.h>
#include <momap/graph/graph.h>
#include <momap/run/executor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace momap {

/// Running mean and spread of one named score over the samples of a run.
struct ScoreTotal {
  std::string step;
  std::string name;
  std::string unit;
  Direction direction = Direction::higher_is_better;
  double worst = 0;
  uint32_t protocol = 0;
  int64_t count = 0;
  int64_t undefined = 0;
  std::string undefined_reason;  ///< of the first undefined value
  double mean = 0;
  double squares = 0;  ///< sum of squared deviations (Welford)

  double spread() const;  ///< standard deviation over samples; 0 for one
};

/// Writes what a run did: `scores.jsonl` (a line a sample, in order, while it goes on) and
/// `run.json` (resolved graph, plugin versions and hashes, seed, host, libraries, cost per step,
/// score totals, failures).
class RunRecorder {
 public:
  /// Takes the folder for itself. Throws ConfigError when it holds something already.
  RunRecorder(std::filesystem::path folder, const Graph& graph);

  void add(const SampleResult& result);

  /// Writes run.json and gives scores.jsonl its final name.
  void finish(const RunSummary& summary);

  const std::vector<ScoreTotal>& totals() const { return totals_; }
  const std::vector<std::string>& failures() const { return failures_; }  ///< the first 100
  const std::vector<std::filesystem::path>& files() const {
    return files_;
  }  ///< the first 1000 written

 private:
  ScoreTotal& total(const std::string& step, const ScoreValue& value);

  std::filesystem::path folder_;
  const Graph& graph_;
  std::unique_ptr<AtomicFile> scores_;
  std::vector<ScoreTotal> totals_;
  std::vector<std::string> failures_;
  std::vector<std::filesystem::path> files_;
};

/// The tables shown at the end of a run: cost per step, score totals, failures.
std::string summary_text(const RunSummary& summary, const RunRecorder& recorder);

}  // namespace momap
