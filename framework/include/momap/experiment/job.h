// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/settings.h>
#include <momap/params/params.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace momap {

/// One run of a graph, or of another command, as an experiment plans it.
struct Job {
  std::string id;     ///< names its folder: position and content, "0007-3f9a2c1d"
  Settings settings;  ///< what sets it apart from the other jobs
  uint64_t seed = 0;
  std::string graph;               ///< resolved YAML (graph_yaml)
  int64_t samples = 0;             ///< at most so many; 0 = all
  std::vector<std::string> fresh;  ///< steps never taken from the cache, because they are timed
  std::vector<std::string> command = {};  ///< in place of a graph: arguments of `momap`
};

/// What a job may take; 0 = without limit.
struct JobLimits {
  double seconds = 0;
  double memory_gib = 0;
  int64_t open_files = 0;

  static auto schema() {
    return std::tuple{
        param("seconds", &JobLimits::seconds, "Wall time of a job; 0 = without limit.")
            .unit("s")
            .at_least(0),
        param("memory_gib", &JobLimits::memory_gib, "Resident memory of a job; 0 = without limit.")
            .unit("GiB")
            .at_least(0),
        param("open_files", &JobLimits::open_files, "Files it may hold open; 0 = the system's.")
            .at_least(0)};
  }
};

/// How an attempt at a job ended. Stands in `<folder>/job.json`.
struct Outcome {
  bool done = false;   ///< all samples scored, every score a finite number or undefined with reason
  std::string reason;  ///< why not, for people
  int exit_code = 0;   ///< 128 + signal after a crash
  double seconds = 0;
  double cpu_seconds = 0;
  int64_t peak_bytes = 0;
};

/// Where a job's attempts lie: `<experiment>/jobs/<id>/<attempt>`, attempts counted from 1. An
/// attempt's folder holds `run` (what `momap run` writes), `log.txt` and, once it has ended,
/// `job.json`.
class JobFolder {
 public:
  JobFolder(const std::filesystem::path& experiment, const std::string& id);

  int attempts() const;  ///< begun so far
  std::filesystem::path attempt(int n) const;

  /// The last attempt's outcome; nothing when none has ended.
  std::optional<Outcome> outcome() const;

  /// The run of the attempt that is done. Throws DataError when none is.
  std::filesystem::path run() const;

 private:
  std::filesystem::path path_;
};

void write_outcome(const std::filesystem::path& attempt, const Outcome& outcome);

struct PoolOptions {
  int parallel = 1;  ///< jobs at once
  JobLimits limits;
  std::function<bool()> cancelled;
  /// Called before each job; a reason not to begin any more ("" = go on).
  std::function<std::string()> closed;
  /// Asked by run_jobs_by_slurm before a job is submitted: whether a task of an earlier call has
  /// ended it meanwhile.
  std::function<bool(const Job&)> finished;
  /// Polled while handed-over jobs wait for a cluster; a reason to take back those that have not
  /// begun ("" = go on).
  std::function<std::string()> expired;
  std::function<void(const Job&, const Outcome&)> ended;
  bool stop_at_failure = false;
};

/// Runs jobs in forked child processes, `parallel` at a time, in order, each under the limits.
///
/// `body` is the child: it fills the attempt's folder, writes its outcome and returns the exit
/// code. Whatever else happens to it (crash, hang, limit) becomes an outcome with the reason and
/// the end of its log; only one that was told to stop (exit code 130) has none, and ends the others
/// too. Children die with this process. Call it before any thread is started.
/// Returns why it stopped early, "" otherwise. Throws Cancelled after ending the children.
std::string run_jobs(const std::filesystem::path& experiment, const std::vector<Job>& jobs,
                     const PoolOptions& options,
                     const std::function<int(const Job&, const std::filesystem::path&)>& body);

}  // namespace momap
