// SPDX-License-Identifier: Apache-2.0
#include "db_build_parts.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/folder_lock.h>
#include <momap/catalog/stamp.h>
#include <momap/experiment/plan.h>
#include <momap/store/merge.h>

#include <algorithm>

#include "db_report.h"
#include "interrupt.h"
#include "job_run.h"
#include "run_command.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKind = "database";

fs::path part_folder(const fs::path& parts, int index) {
  return parts / fmt::format("part-{:05}", index);
}

std::vector<std::string> part_command(const Options& options, const fs::path& parts, int index) {
  std::vector<std::string> command{"db", "build", fs::absolute(options.graph).string()};
  for (const auto& input : options.inputs) command.push_back(fs::absolute(input).string());
  for (const auto& folder : options.plugins) {
    command.insert(command.end(), {"--plugins", fs::absolute(folder).string()});
  }
  for (const auto& set : options.set) command.insert(command.end(), {"--set", set});
  command.insert(command.end(), {"--output", part_folder(parts, index).string(), "--shard",
                                 fmt::format("{}/{}", index, options.parts), "--threads",
                                 std::to_string(std::max(1, options.threads)), "--quiet"});
  if (options.samples > 0) {
    command.insert(command.end(), {"--samples", std::to_string(options.samples)});
  }
  if (options.keep_going) command.emplace_back("--keep-going");
  return command;
}

std::vector<Job> part_jobs(const Options& options, const fs::path& parts) {
  std::vector<Job> jobs;
  for (int i = 0; i < options.parts; ++i) {
    Job job;
    job.id = fmt::format("{:05}", i);
    job.settings = {{"part", fmt::format("{}/{}", i, options.parts)}};
    job.command = part_command(options, parts, i);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

// The parts of other arguments would not go together.
void remember(const fs::path& parts, const std::vector<Job>& jobs, const Catalog& catalog) {
  if (!fs::exists(parts / "plan.json")) {
    Plan plan;
    plan.kind = kKind;
    plan.build = own_stamp();
    add_jobs(plan, jobs, catalog);
    write_plan(parts, plan);
    return;
  }
  const Plan before = read_plan(parts, kKind);
  if (!std::ranges::equal(before.jobs, jobs, {}, &Job::command, &Job::command)) {
    throw ConfigError(fmt::format(
        "{}: was begun with other arguments; use the same ones, or remove the folder to begin anew",
        shown(parts)));
  }
}

}  // namespace

int build_database_by_parts(const Options& options) {
  const fs::path folder = fs::absolute(options.output).lexically_normal();
  const fs::path parts = folder.string() + ".parts";
  if (!options.shard.empty()) {
    throw ConfigError("--shard is what each task of Slurm gets; leave it out");
  }
  std::error_code error;
  const bool goes_on = fs::exists(parts / "plan.json", error);
  if (!goes_on && fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    throw ConfigError(fmt::format(
        "{}: holds something already; build into another folder and join both with momap db merge",
        shown(folder)));
  }
  const auto catalog = engine_catalog(options);
  const std::vector<Job> jobs = part_jobs(options, parts);
  fs::create_directories(parts, error);
  if (error)
    throw ConfigError(fmt::format("{}: cannot be made: {}", shown(parts), error.message()));
  const FolderLock lock(parts);
  remember(parts, jobs, catalog);

  int failed = 0;
  PoolOptions pool;
  pool.cancelled = interrupted;
  pool.finished = [&](const Job& job) {
    const auto outcome = JobFolder(parts, job.id).outcome();
    return outcome && outcome->done;
  };
  pool.ended = [&](const Job& job, const Outcome& outcome) {
    if (!outcome.done) {
      ++failed;
      fmt::print(stderr, "momap: error: part {}: {}\n", job.settings[0].second, outcome.reason);
    } else if (!options.quiet) {
      fmt::print(stderr, "momap: part {}: done ({:.1f} s)\n", job.settings[0].second,
                 outcome.seconds);
    }
  };
  std::vector<Job> left;
  std::ranges::copy_if(jobs, std::back_inserter(left),
                       [&](const Job& job) { return !pool.finished(job); });
  launch_jobs(options, catalog, parts, left, pool);
  if (failed > 0) {
    fmt::print(stderr, "momap: {} of {} parts failed; the same command goes on with them\n", failed,
               jobs.size());
    return kExitData;
  }
  std::vector<fs::path> databases;
  for (int i = 0; i < options.parts; ++i) databases.push_back(part_folder(parts, i));
  const MergeResult merged = merge_databases(databases, folder, interrupted, {});
  const fs::path report = write_database_report(folder);
  fs::remove_all(parts);
  if (!options.quiet) {
    fmt::print("{} samples from {} parts\n{}\n", merged.added, jobs.size(), shown(report));
  }
  return kExitOk;
}

}  // namespace momap
