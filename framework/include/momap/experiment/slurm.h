// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/job.h>
#include <momap/experiment/plan.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace momap {

/// Jobs handed to Slurm together, as the tasks of one array. Stands in `<experiment>/slurm/<name>`
/// (plan.json, tasks.json, a log a task) before it is submitted, under a job name that no other
/// has: whoever comes back after a kill finds in the queue what still runs.
struct TaskList {
  std::string name;
  Plan plan;  ///< the jobs, task by task, with the plugins they were planned with
  JobLimits limits;
  std::vector<int> attempts_before;  ///< of each job
  bool together = false;             ///< all jobs are one task, in order
};

/// The jobs of a task, by position in the plan.
std::vector<size_t> jobs_of_task(const TaskList& list, int task);

/// Throws ConfigError where it is missing or not sound.
TaskList read_task_list(const std::filesystem::path& experiment, const std::string& name);

/// The outcome of a task; earlier attempts at its job do not count.
std::optional<Outcome> task_outcome(const std::filesystem::path& experiment, const Job& job,
                                    int attempts_before);

struct SlurmOptions {
  /// Program and arguments of a task; the list's name comes last, SLURM_ARRAY_TASK_ID says which.
  std::vector<std::string> command;
  std::vector<std::string> sbatch;  ///< more arguments of sbatch: "--partition=long"
  int threads = 1;                  ///< cores of a task
  int at_once = 0;                  ///< tasks at once; 0 = as many as the cluster lets
  /// All jobs one after the other on one node, as one task: what is timed against each other.
  bool together = false;
};

/// Runs jobs as arrays of a Slurm cluster that shares this file system; like `run_jobs` otherwise.
///
/// Each task runs its jobs (one, unless `together`) under the limits in processes of their own.
/// Tasks are requeued when their node fails or they are preempted, and then begin a new attempt.
/// Tasks that an earlier call left in the queue are waited for and not submitted again. A task that
/// ends without an outcome (cancelled, out of time, node lost) fails with Slurm's word for it and
/// the end of its log. Throws ConfigError where Slurm is not installed or refuses; Cancelled after
/// cancelling the tasks.
std::string run_jobs_by_slurm(const std::filesystem::path& experiment, const std::vector<Job>& jobs,
                              const Catalog& catalog, const PoolOptions& options,
                              const SlurmOptions& slurm);

}  // namespace momap
