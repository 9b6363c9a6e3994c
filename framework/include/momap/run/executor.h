// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/datum.h>
#include <momap/graph/graph.h>
#include <momap/run/cache.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace momap {

/// How far a run is; shown while it goes on.
struct Progress {
  int64_t samples_done = 0;
  int64_t samples_total = 0;
  int64_t failures = 0;
  int64_t resident_bytes = 0;
  double seconds = 0;
};

/// What one sample gave, handed over in sample order.
struct SampleResult {
  struct StepScore {
    size_t step;  ///< position in Graph::steps
    size_t k;     ///< which of K futures
    Score score;
  };

  int64_t index = 0;
  std::string name;
  std::string failed_step;  ///< "" = all went well
  std::string failure;      ///< the DataError's words
  std::vector<StepScore> scores;
  std::vector<std::filesystem::path> files;
  std::vector<std::pair<size_t, Data>> kept;  ///< outputs of `RunOptions::keep`
};

struct RunOptions {
  int threads = 1;
  int in_flight = 0;  ///< samples at once; 0 = threads
  uint64_t memory_budget_bytes =
      0;  ///< no new sample is begun above this resident size; 0 = three quarters of RAM
  bool keep_going = false;  ///< go on with other samples after a DataError
  int64_t samples = 0;      ///< at most so many; 0 = all
  std::function<bool(int64_t index, const std::string& name)>
      wanted;                       ///< samples that are not are passed over; unset = all are
  std::filesystem::path folder;     ///< outputs go to <folder>/<step>/<sample>.<ext>
  Cache* cache = nullptr;           ///< nullptr = compute everything
  std::vector<size_t> keep;         ///< steps whose data each SampleResult carries
  std::vector<size_t> fresh;        ///< steps that are computed even where the cache has them
  std::function<bool()> cancelled;  ///< polled; true ends the run after the steps in work
  std::function<void(const Progress&)> progress;
  std::function<void(SampleResult)> on_sample;  ///< in sample order, from one thread at a time
};

/// Cost of one step over the whole run.
struct StepFigures {
  std::string step;
  std::string plugin;
  int64_t calls = 0;         ///< samples computed
  int64_t from_cache = 0;    ///< samples taken from the cache
  double seconds = 0;        ///< wall time of all calls
  double first_seconds = 0;  ///< of the first computed call, which warms up
  int64_t largest_output_bytes = 0;
};

/// What a metric says of all samples together.
struct PooledScore {
  std::string step;
  Score score;
};

struct RunSummary {
  int64_t samples = 0;  ///< in the sources (or as limited)
  int64_t done = 0;
  int64_t failed = 0;
  bool cancelled = false;
  double seconds = 0;
  int64_t peak_resident_bytes = 0;
  std::vector<StepFigures> steps;   ///< in graph order
  std::vector<PooledScore> pooled;  ///< of metrics with a pool, in graph order
};

/// Runs a graph over all samples of its sources.
///
/// Steps of up to `in_flight` samples run as oneTBB tasks, each plugin as it declares. A DataError
/// ends its sample (and, without `keep_going`, the run); any other exception ends the run and is
/// thrown with step and sample; so does what the functions of `options` throw. The steps in work
/// are waited for. The results do not depend on the number of threads.
RunSummary run_graph(const Graph& graph, const RunOptions& options);

/// One line a step for sample 0: cached, or why it would run. `record` remembers what a run saw
/// last time.
struct StepExplanation {
  std::string step;
  bool cached = false;
  std::string reason;
};
std::vector<StepExplanation> explain_graph(const Graph& graph, const Cache& cache);

/// Remembers what the steps of this graph depended on, for the next `explain_graph`.
void remember_run(const Graph& graph, const Cache& cache);

}  // namespace momap
