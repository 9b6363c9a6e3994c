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
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include "interrupt.h"
#include "run_command.h"

namespace momap {
namespace {

double cpu_seconds(const rusage& usage) {
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

// How a task of Slurm runs its jobs; the name of its list comes last.
std::vector<std::string> task_command(const Options& options, int threads,
                                      const std::filesystem::path& experiment) {
  const auto root = install_root();
  std::vector<std::string> command{(root / "bin/momap").string(), "run-task"};
  for (const auto& folder : options.plugins) {
    command.emplace_back("--plugins");
    command.push_back(std::filesystem::absolute(folder).string());
  }
  command.push_back(fmt::format("--threads={}", threads));
  command.push_back(fmt::format("--cache-size={}", options.cache_gigabytes));
  if (options.no_cache) command.emplace_back("--no-cache");
  command.push_back(experiment.string());
  return command;
}

std::string launch_by_slurm(const Options& options, const Catalog& catalog,
                            const std::filesystem::path& experiment, const std::vector<Job>& jobs,
                            const PoolOptions& pool, bool timed) {
  const std::filesystem::path folder = std::filesystem::absolute(experiment);
  SlurmOptions slurm;
  slurm.threads = timed ? 1 : std::max(1, options.threads);
  slurm.command = task_command(options, slurm.threads, folder);
  if (timed) slurm.sbatch.emplace_back("--exclusive");
  slurm.sbatch.insert(slurm.sbatch.end(), options.sbatch.begin(), options.sbatch.end());
  slurm.at_once = options.jobs;
  slurm.together = timed;
  return run_jobs_by_slurm(folder, jobs, catalog, pool, slurm);
}

// Runs `momap` with these arguments; its exit code. It shares this process's group and log.
int run_momap(const std::vector<std::string>& arguments) {
  const std::string program = (install_root() / "bin/momap").string();
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  if (const int error =
          ::posix_spawn(&pid, program.c_str(), nullptr, nullptr, words.data(), environ)) {
    throw ConfigError(fmt::format("{}: cannot be started: {}", program, std::strerror(error)));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    if (interrupted()) ::kill(pid, SIGTERM);
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// What fails leaves no outcome: the pool writes one with the end of the log.
int run_command_job(const Job& job, const std::filesystem::path& attempt) {
  const auto begun = std::chrono::steady_clock::now();
  const int code = run_momap(job.command);
  if (code != kExitOk) return code;
  Outcome outcome;
  outcome.done = true;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  outcome.cpu_seconds = cpu_seconds(usage);
  outcome.peak_bytes = int64_t{usage.ru_maxrss} * 1024;
  write_outcome(attempt, outcome);
  return kExitOk;
}

int task_index(const TaskList& list) {
  const char* text = std::getenv("SLURM_ARRAY_TASK_ID");
  int index = 0;
  const char* const end = text ? text + std::strlen(text) : nullptr;
  const auto [stop, error] = std::from_chars(text, end, index);  // nothing for no text
  if (!text || error != std::errc() || stop != end || jobs_of_task(list, index).empty()) {
    throw ConfigError(fmt::format(
        "SLURM_ARRAY_TASK_ID is '{}', which is no task of the list; run-task is what Slurm "
        "starts, for people there is --launcher slurm",
        text ? printable(text) : ""));
  }
  return index;
}

}  // namespace

void preload(const std::vector<Job>& jobs, const Catalog& catalog) {
  std::set<std::string> ids;
  for (const Job& job : jobs) {
    if (!job.command.empty()) continue;
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
    if (!job.command.empty()) return run_command_job(job, attempt);
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
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    outcome.cpu_seconds = cpu_seconds(usage);
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
    return launch_by_slurm(options, catalog, experiment, jobs, pool, false);
  }
  const JobSlots slots = job_slots(options);
  pool.parallel = slots.parallel;
  preload(jobs, catalog);
  return run_jobs(experiment, jobs, pool, job_body(options, catalog, slots.threads));
}

std::string launch_timed_jobs(const Options& options, const Catalog& catalog,
                              const std::filesystem::path& experiment, const std::vector<Job>& jobs,
                              PoolOptions pool) {
  if (options.launcher == "slurm") {
    return launch_by_slurm(options, catalog, experiment, jobs, pool, true);
  }
  pool.parallel = 1;
  preload(jobs, catalog);
  return run_jobs(experiment, jobs, pool, job_body(options, catalog, 1));
}

int run_task_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const std::filesystem::path experiment = options.folder;
  const TaskList list = read_task_list(experiment, options.task_list);
  std::vector<Job> jobs;
  for (const size_t i : jobs_of_task(list, task_index(list))) {
    // A task may be started again after it has done its work, or some of it.
    const Job& job = list.plan.jobs[i];
    if (!task_outcome(experiment, job, list.attempts_before[i])) jobs.push_back(job);
  }
  if (jobs.empty()) return kExitOk;
  if (const auto changed = changed_plugins(list.plan, catalog); !changed.empty()) {
    throw ConfigError(fmt::format("plugins changed while the job waited: {}", changed));
  }
  PoolOptions pool;
  pool.limits = list.limits;
  pool.cancelled = interrupted;
  preload(jobs, catalog);
  run_jobs(experiment, jobs, pool, job_body(options, catalog, std::max(1, options.threads)));
  return kExitOk;
}

}  // namespace momap
