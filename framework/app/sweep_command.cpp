// SPDX-License-Identifier: Apache-2.0
#include "sweep_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/folder_lock.h>
#include <momap/base/text.h>
#include <momap/experiment/plan.h>
#include <momap/experiment/sweep_folder.h>
#include <momap/graph/yaml.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "interrupt.h"
#include "job_run.h"
#include "progress_line.h"
#include "run_command.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Counts of a plan's jobs.
struct Counts {
  int64_t done = 0, failed = 0, waiting = 0;
};

Counts counts_of(const fs::path& folder, const Plan& plan) {
  Counts counts;
  for (const Job& job : plan.jobs) {
    const auto outcome = JobFolder(folder, job.id).outcome();
    ++(!outcome ? counts.waiting : outcome->done ? counts.done : counts.failed);
  }
  return counts;
}

// Works on the sweep in a folder until there is nothing left to do.
class Driver {
 public:
  Driver(const Options& options, const Catalog& catalog, fs::path folder, Plan plan)
      : options_(options),
        catalog_(catalog),
        folder_(std::move(folder)),
        plan_(std::move(plan)),
        sweep_(kept_sweep(folder_, plan_)) {}

  // Returns why it stopped before the end, "" otherwise.
  std::string run(bool retry_failed) {
    std::vector<Settings> points = sweep_.points;
    for (const int64_t samples : rungs_of(sweep_)) {
      const std::vector<Job> jobs = jobs_of_rung(points, samples);
      std::string stopped = run_rung(jobs, retry_failed);
      if (!stopped.empty()) return stopped;
      if (sweep_.halving) points = survivors(points, samples);
    }
    return "";
  }

 private:
  // Those planned by an earlier run, else planned now.
  std::vector<Job> jobs_of_rung(const std::vector<Settings>& points, int64_t samples) {
    std::vector<Job> jobs;
    std::ranges::copy_if(plan_.jobs, std::back_inserter(jobs),
                         [&](const Job& job) { return job.samples == samples; });
    if (!jobs.empty()) return jobs;
    jobs = sweep_jobs(sweep_, points, samples, catalog_);
    add_jobs(plan_, jobs, catalog_);
    write_plan(folder_, plan_);
    return jobs;
  }

  std::string run_rung(const std::vector<Job>& jobs, bool retry_failed) {
    const auto finished = [&](const Job& job) {
      const auto outcome = JobFolder(folder_, job.id).outcome();
      return outcome && (outcome->done || !retry_failed);
    };
    std::vector<Job> left;
    std::ranges::copy_if(jobs, std::back_inserter(left),
                         [&](const Job& job) { return !finished(job); });
    const auto total = static_cast<double>(jobs.size());
    auto done = total - static_cast<double>(left.size());
    int failures = 0;
    ProgressLine line(options_.quiet);
    PoolOptions pool;
    pool.limits = sweep_.limits;
    pool.finished = finished;
    pool.cancelled = [&] {
      const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
      line.show(done, total, seconds, failures ? fmt::format("{} failed", failures) : "");
      return interrupted();
    };
    pool.stop_at_failure = options_.fail_fast;
    pool.expired = [&]() -> std::string {
      const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
      if (sweep_.budget_seconds > 0 && seconds > sweep_.budget_seconds) {
        return fmt::format("the budget of {:g} s is used up", sweep_.budget_seconds);
      }
      if (const auto changed = changed_files(plan_); !changed.empty()) {
        return fmt::format("plugins changed while the sweep ran: {}; start a new sweep", changed);
      }
      return "";
    };
    pool.closed = [&]() -> std::string {
      if (sweep_.budget_jobs > 0 && started_ >= sweep_.budget_jobs) {
        return fmt::format("the budget of {} jobs is used up", sweep_.budget_jobs);
      }
      std::string expired = pool.expired();
      if (expired.empty()) ++started_;
      return expired;
    };
    pool.ended = [&](const Job& job, const Outcome& outcome) {
      done += 1;
      if (outcome.done) return;
      ++failures;
      fmt::print(stderr, "momap: warning: job {} ({}) failed: {}\n", job.id, text_of(job.settings),
                 outcome.reason);
    };
    return launch_jobs(options_, catalog_, folder_, left, pool);
  }

  // The better share of the points, in the sweep's order; points without a score go no further.
  std::vector<Settings> survivors(const std::vector<Settings>& points, int64_t samples) const {
    const auto results = point_results(folder_, sweep_, plan_, samples);
    std::vector<std::pair<double, Settings>> order;
    for (const auto& point : results) {
      const auto values = point.result.values.find(sweep_.halving->score);
      const auto info =
          std::ranges::find(point.result.scores, sweep_.halving->score, &ScoreInfo::key);
      if (info == point.result.scores.end() || values == point.result.values.end() ||
          values->second.empty()) {
        continue;
      }
      const double mean = mean_of(values->second).value;
      order.emplace_back(info->higher_is_better ? -mean : mean, point.settings);
    }
    if (order.empty()) {
      throw ConfigError(fmt::format("halving: no point has the score '{}'", sweep_.halving->score));
    }
    std::ranges::stable_sort(order, {}, &std::pair<double, Settings>::first);
    const auto kept = static_cast<size_t>(
        std::max(1.0, std::ceil(sweep_.halving->keep * static_cast<double>(order.size()))));
    order.resize(std::min(order.size(), kept));
    std::vector<Settings> out;
    std::ranges::copy_if(points, std::back_inserter(out), [&](const Settings& point) {
      return std::ranges::count(order, point, &std::pair<double, Settings>::second) > 0;
    });
    return out;
  }

  const Options& options_;
  const Catalog& catalog_;
  fs::path folder_;
  Plan plan_;
  Sweep sweep_;
  Clock::time_point begun_ = Clock::now();
  int64_t started_ = 0;
};

// The tables of a sweep's last rung that has results.
std::string tables_text(const fs::path& folder, const Plan& plan, const std::string& format) {
  const Sweep sweep = kept_sweep(folder, plan);
  const std::vector<PointResult> points = last_rung(folder, sweep, plan).points;
  if (points.empty()) return "";
  std::string out = table_text(points_table(sweep, points), format);
  if (format == "csv" || format == "jsonl") return out;  // one table, for programs
  out += "\n" + table_text(axes_table(sweep, points), format);
  const auto scores = shown_scores(sweep, points);
  if (!scores.empty()) {
    out += fmt::format("\nNo point is better in {} without taking longer:\n\n{}", scores[0].key,
                       table_text(pareto_table(sweep, points, scores[0]), format));
  }
  return out;
}

int report(const Options& options, const fs::path& folder, const std::string& stopped) {
  const Plan plan = read_plan(folder, "sweep");
  const Counts counts = counts_of(folder, plan);
  write_file(folder / "table.md", tables_text(folder, plan, "markdown"));
  write_file(folder / "table.csv", tables_text(folder, plan, "csv"));
  if (options.json) {
    fmt::print("{}", tables_text(folder, plan, "jsonl"));
  } else if (!options.quiet) {
    fmt::print("{}\n{} jobs done, {} failed, {} not run; results in {}\n",
               tables_text(folder, plan, options.format), counts.done, counts.failed,
               counts.waiting, shown(folder));
  }
  if (!stopped.empty()) {
    fmt::print(stderr, "momap: {}; go on with: momap sweep resume {}\n", stopped, shown(folder));
  } else if (counts.failed > 0) {
    fmt::print(stderr, "momap: {} jobs failed; try them again with: momap sweep retry {}\n",
               counts.failed, shown(folder));
  }
  return counts.failed > 0 ? kExitData : kExitOk;
}

std::string slots_text(const Options& options) {
  if (options.launcher == "slurm") return "as tasks of Slurm";
  const JobSlots slots = job_slots(options);
  return fmt::format("{} at a time with {} threads each", slots.parallel, slots.threads);
}

int go_on(const Options& options, const Catalog& catalog, const fs::path& folder,
          bool retry_failed) {
  const FolderLock lock(folder);
  std::string stopped;
  try {
    stopped = Driver(options, catalog, folder, read_plan(folder, "sweep")).run(retry_failed);
  } catch (const Cancelled&) {
    fmt::print(stderr, "momap: go on with: momap sweep resume {}\n", shown(folder));
    throw;
  }
  return report(options, folder, stopped);
}

}  // namespace

int sweep_run_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const Sweep sweep = read_sweep(options.graph, options.set);
  // All points are checked before anything is written.
  const auto jobs = sweep_jobs(sweep, sweep.points, rungs_of(sweep)[0], catalog);
  const fs::path folder = run_folder(options, fs::path(options.graph).stem().string());
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    throw ConfigError(fmt::format(
        "{}: the folder is not empty; sweeps are never overwritten: go on with momap sweep resume, "
        "or choose another with -o",
        shown(folder)));
  }
  keep_sweep_files(folder, options.graph, sweep);
  Plan plan;
  plan.kind = "sweep";
  plan.overrides = options.set;
  plan.build = own_stamp();
  add_jobs(plan, jobs, catalog);
  write_plan(folder, plan);
  if (!options.quiet) {
    fmt::print(stderr, "momap: {} points, {} jobs, {}, in {}\n", sweep.points.size(), jobs.size(),
               slots_text(options), shown(folder));
  }
  return go_on(options, catalog, folder, false);
}

int sweep_resume_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const fs::path folder = options.folder;
  const Plan plan = read_plan(folder, "sweep");
  if (const auto changed = changed_plugins(plan, catalog); !changed.empty()) {
    throw ConfigError(fmt::format(
        "{}: cannot go on, results would be mixed: {}; start a new sweep (cached steps are reused)",
        shown(folder), changed));
  }
  return go_on(options, catalog, folder, options.command == "sweep retry");
}

int sweep_status_command(const Options& options) {
  const fs::path folder = options.folder;
  for (;;) {
    const Plan plan = read_plan(folder, "sweep");
    const Counts counts = counts_of(folder, plan);
    const bool works = FolderLock::is_held(folder);
    fmt::print("{}: {} done, {} failed, {} left, {}\n", shown(folder), counts.done, counts.failed,
               counts.waiting,
               works                ? "running"
               : counts.waiting > 0 ? "not running; go on with momap sweep resume"
                                    : "finished");
    if (!options.watch || !works || interrupted()) {
      fmt::print("\n{}", tables_text(folder, plan, options.format));
      return kExitOk;
    }
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
}

}  // namespace momap
