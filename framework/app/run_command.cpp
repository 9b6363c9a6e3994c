// SPDX-License-Identifier: Apache-2.0
#include "run_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/plugin/loader.h>
#include <momap/run/threads.h>

#include <chrono>
#include <ctime>

#include "interrupt.h"
#include "progress_line.h"

namespace momap {

Catalog engine_catalog(const Options& options) {
  auto catalog = Catalog::read(plugin_folders(options.plugins), describe_in_children);
  for (const auto& problem : catalog.problems()) {
    fmt::print(stderr, "momap: warning: plugin library not used: {}\n", problem.text());
  }
  return catalog;
}

std::unique_ptr<Cache> open_cache(const Options& options) {
  if (options.no_cache) return nullptr;
  return std::make_unique<Cache>(user_cache_folder(),
                                 static_cast<uint64_t>(options.cache_gigabytes * 1e9));
}

std::filesystem::path run_folder(const Options& options, const std::string& name) {
  if (!options.output.empty()) return options.output;
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::system_clock::to_time_t(now);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &utc);
  return std::filesystem::path("runs") / fmt::format("{}-{}-{:03}", name, text, ms);
}

RunOptions run_options(const Options& options, int threads, Cache* cache) {
  RunOptions run;
  run.threads = threads;
  run.keep_going = options.keep_going;
  run.samples = options.samples;
  run.cache = cache;
  run.cancelled = interrupted;
  auto line = std::make_shared<ProgressLine>(options.quiet);
  run.progress = [line](const Progress& p) {
    line->show(static_cast<double>(p.samples_done + p.failures),
               static_cast<double>(p.samples_total), p.seconds,
               fmt::format("{} resident{}", human_bytes(static_cast<double>(p.resident_bytes)),
                           p.failures ? fmt::format(", {} failed", p.failures) : ""));
  };
  return run;
}

RecordedRun recorded_run(const Graph& graph, const std::filesystem::path& folder,
                         RunOptions options, const Cache* cache) {
  RecordedRun run;
  run.folder = folder;
  run.recorder = std::make_unique<RunRecorder>(folder, graph);
  options.folder = folder;
  options.on_sample = [&, before = options.on_sample](SampleResult result) {
    run.recorder->add(result);
    if (before) before(std::move(result));
  };
  run.summary = run_graph(graph, options);
  run.recorder->finish(run.summary);
  if (cache) {
    remember_run(graph, *cache);
    if (const auto trouble = cache->trouble(); !trouble.empty()) {
      fmt::print(stderr, "momap: warning: cache: {}; results are not affected\n", trouble);
    }
  }
  return run;
}

int run_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  GraphOptions graph_options;
  graph_options.overrides = options.set;
  const Graph graph = read_graph(options.graph, catalog, graph_options);
  const ThreadBudget budget(options.threads);
  const auto cache = open_cache(options);
  const auto run =
      recorded_run(graph, run_folder(options, std::filesystem::path(options.graph).stem().string()),
                   run_options(options, budget.count(), cache.get()), cache.get());
  if (options.json) {
    fmt::print("{}", read_file(run.folder / "run.json"));
  } else if (!options.quiet) {
    fmt::print("{}results in {}\n", summary_text(run.summary, *run.recorder), shown(run.folder));
  }
  for (const auto& failure : run.recorder->failures())
    fmt::print(stderr, "momap: error: {}\n", failure);
  if (run.summary.cancelled) throw Cancelled();
  return run.summary.failed > 0 ? kExitData : kExitOk;
}

int explain_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  GraphOptions graph_options;
  graph_options.overrides = options.set;
  const Graph graph = read_graph(options.graph, catalog, graph_options);
  const auto cache = open_cache(options);
  for (const auto& line : explain_graph(graph, *cache)) {
    fmt::print("{:<16} {:<8} {}\n", line.step, line.cached ? "cached" : "runs", line.reason);
  }
  return kExitOk;
}

}  // namespace momap
