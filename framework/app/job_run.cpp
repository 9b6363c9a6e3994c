// SPDX-License-Identifier: Apache-2.0
#include "job_run.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/experiment/slurm.h>
#include <momap/graph/yaml.h>
#include <momap/plugin/loader.h>
#include <momap/run/process.h>
#include <momap/run/threads.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include "interrupt.h"
#include "run_command.h"

namespace momap {
namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Why a run that went through is no result all the same; "" when it is one.
std::string flaw(const RecordedRun& run) {
  if (!run.recorder->failures().empty()) return run.recorder->failures().front();
  for (const auto& total : run.recorder->totals()) {
    if (total.count > 0 && !std::isfinite(total.mean)) {
      return fmt::format("{}.{} is not a finite number", total.step, total.name);
    }
  }
  return "";
}

// How a task of Slurm runs its job; the name of its list comes last.
std::vector<std::string> task_command(const Options& options,
                                      const std::filesystem::path& experiment) {
  const auto root = install_root();
  std::vector<std::string> command{(root / "bin/momap").string(), "run-task"};
  for (const auto& folder : options.plugins) {
    command.emplace_back("--plugins");
    command.push_back(std::filesystem::absolute(folder).string());
  }
  command.push_back(fmt::format("--threads={}", std::max(1, options.threads)));
  command.push_back(fmt::format("--cache-size={}", options.cache_gigabytes));
  if (options.no_cache) command.emplace_back("--no-cache");
  command.push_back(experiment.string());
  return command;
}

size_t task_index(size_t tasks) {
  const char* text = std::getenv("SLURM_ARRAY_TASK_ID");
  size_t index = 0;
  const char* const end = text ? text + std::strlen(text) : nullptr;
  const auto [stop, error] = std::from_chars(text, end, index);  // nothing for no text
  if (!text || error != std::errc() || stop != end || index >= tasks) {
    throw ConfigError(fmt::format(
        "SLURM_ARRAY_TASK_ID is '{}'; expected 0 to {}; run-task is what Slurm starts, for people "
        "there is --launcher slurm",
        text ? printable(text) : "", tasks - 1));
  }
  return index;
}

}  // namespace

void preload(const std::vector<Job>& jobs, const Catalog& catalog) {
  std::set<std::string> ids;
  for (const Job& job : jobs) {
    const Config graph = parse_yaml(job.graph, job.id);
    for (const auto& step : graph.find("steps")->entries()) {
      const Config* use = step.value.find("use");
      if (use && ids.insert(use->text()).second) {
        if (const PluginInfo* plugin = catalog.find(use->text()))
          PluginLibrary::open(plugin->library);
      }
    }
  }
}

std::function<int(const Job&, const std::filesystem::path&)> job_body(const Options& options,
                                                                      const Catalog& catalog,
                                                                      int threads) {
  return [&options, &catalog, threads](const Job& job, const std::filesystem::path& attempt) {
    const auto begun = std::chrono::steady_clock::now();
    Outcome outcome;
    try {
      const Graph graph = check_graph(parse_yaml(job.graph, job.id), job.id, catalog);
      const ThreadBudget budget(threads);
      const auto cache = open_cache(options);
      RunOptions run = run_options(options, budget.count(), cache.get());
      run.progress = nullptr;  // the log is no terminal, and nobody looks at it while it is written
      run.samples = job.samples;
      run.keep_going = false;
      for (const auto& step : job.fresh) {
        const int position = graph.find(step);
        if (position >= 0) run.fresh.push_back(static_cast<size_t>(position));
      }
      run.keep = run.fresh;  // asked for, even where the scores behind them are cached
      const RecordedRun recorded = recorded_run(graph, attempt / "run", run, nullptr);
      if (recorded.summary.cancelled) return static_cast<int>(kExitInterrupted);  // no outcome
      outcome.reason = flaw(recorded);
      outcome.done = outcome.reason.empty();
      outcome.exit_code = outcome.done ? kExitOk : kExitData;
    } catch (const ConfigError& e) {
      outcome.reason = e.what();
      outcome.exit_code = kExitConfig;
    } catch (const DataError& e) {
      outcome.reason = e.what();
      outcome.exit_code = kExitData;
    } catch (const std::exception& e) {
      outcome.reason = e.what();
      outcome.exit_code = kExitBug;
    }
    if (!outcome.done) fmt::print(stderr, "momap: error: {}\n", outcome.reason);
    outcome.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    outcome.cpu_seconds = cpu_seconds();
    outcome.peak_bytes = peak_resident_bytes();
    write_outcome(attempt, outcome);
    return outcome.exit_code;
  };
}

JobSlots job_slots(const Options& options) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int threads_in_all = options.threads > 0 ? options.threads : cores;
  JobSlots slots;
  slots.parallel = options.jobs > 0 ? options.jobs : threads_in_all;
  slots.threads = std::max(1, threads_in_all / slots.parallel);
  return slots;
}

std::string launch_jobs(const Options& options, const Catalog& catalog,
                        const std::filesystem::path& experiment, const std::vector<Job>& jobs,
                        PoolOptions pool) {
  if (options.launcher == "slurm") {
    const std::filesystem::path folder = std::filesystem::absolute(experiment);
    SlurmOptions slurm;
    slurm.command = task_command(options, folder);
    slurm.sbatch = options.sbatch;
    slurm.threads = std::max(1, options.threads);
    slurm.at_once = options.jobs;
    return run_jobs_by_slurm(folder, jobs, catalog, pool, slurm);
  }
  const JobSlots slots = job_slots(options);
  pool.parallel = slots.parallel;
  preload(jobs, catalog);
  return run_jobs(experiment, jobs, pool, job_body(options, catalog, slots.threads));
}

int run_task_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const std::filesystem::path experiment = options.folder;
  const TaskList list = read_task_list(experiment, options.task_list);
  const size_t index = task_index(list.plan.jobs.size());
  const Job& job = list.plan.jobs[index];
  // A task may be started again after it has done its work.
  if (task_outcome(experiment, job, list.attempts_before[index])) return kExitOk;
  if (const auto changed = changed_plugins(list.plan, catalog); !changed.empty()) {
    throw ConfigError(fmt::format("plugins changed while the job waited: {}", changed));
  }
  PoolOptions pool;
  pool.limits = list.limits;
  pool.cancelled = interrupted;
  preload({job}, catalog);
  run_jobs(experiment, {job}, pool, job_body(options, catalog, std::max(1, options.threads)));
  return kExitOk;
}

}  // namespace momap
