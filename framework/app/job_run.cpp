// SPDX-License-Identifier: Apache-2.0
#include "job_run.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/graph/yaml.h>
#include <momap/plugin/loader.h>
#include <momap/run/process.h>
#include <momap/run/threads.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <thread>

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
  if (run.summary.cancelled) return "stopped by the user";
  if (!run.recorder->failures().empty()) return run.recorder->failures().front();
  for (const auto& total : run.recorder->totals()) {
    if (total.count > 0 && !std::isfinite(total.mean)) {
      return fmt::format("{}.{} is not a finite number", total.step, total.name);
    }
  }
  return "";
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

}  // namespace momap
