// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>
#include <momap/experiment/job.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "options.h"

namespace momap {

/// Loads the libraries of all jobs into this process, so that its children have them at once.
void preload(const std::vector<Job>& jobs, const Catalog& catalog);

/// The child of `run_jobs`: runs a job's graph into `attempt`/run with `threads` threads, or its
/// command, and writes its outcome.
std::function<int(const Job&, const std::filesystem::path&)> job_body(const Options& options,
                                                                      const Catalog& catalog,
                                                                      int threads);

/// How many jobs run at once (--jobs, or one a core), and with how many threads each.
struct JobSlots {
  int parallel = 1;
  int threads = 1;
};
JobSlots job_slots(const Options& options);

/// Runs jobs where --launcher says: in child processes here, or as tasks of a Slurm cluster.
std::string launch_jobs(const Options& options, const Catalog& catalog,
                        const std::filesystem::path& experiment, const std::vector<Job>& jobs,
                        PoolOptions pool);

/// The same one after the other, each on one thread, on one machine that does nothing else for us:
/// what is timed against each other.
std::string launch_timed_jobs(const Options& options, const Catalog& catalog,
                              const std::filesystem::path& experiment, const std::vector<Job>& jobs,
                              PoolOptions pool);

/// One Slurm task: the jobs of a list that SLURM_ARRAY_TASK_ID names.
int run_task_command(const Options& options);

}  // namespace momap
