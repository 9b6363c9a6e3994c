// SPDX-License-Identifier: Apache-2.0
// Costs of the kernel itself: a step of a run, loading all plugins, checking a large graph.
#include <ATen/Functions.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/graph/graph.h>
#include <momap/graph/yaml.h>
#include <momap/plugin/loader.h>
#include <momap/run/executor.h>
#include <momap/run/threads.h>
#include <momap/stage/annotator.h>

#include <cstdlib>
#include <memory>

namespace momap {
namespace {

const Catalog& probes() {
  static const Catalog kCatalog = Catalog::read({MOMAP_PROBES_FOLDER}, describe_in_children);
  return kCatalog;
}

std::string chain(int steps, int samples) {
  std::string yaml =
      fmt::format("steps:\n  s0: {{use: source/probe, with: {{samples: {}}}}}\n", samples);
  for (int i = 1; i <= steps; ++i) {
    yaml += fmt::format("  s{}: {{use: annotation/probe_pass, in: s{}}}\n", i, i - 1);
  }
  return yaml + fmt::format("  score: {{use: metric/probe_mean, in: {{result: s{}}}}}\n", steps);
}

// Twenty steps that pass a clip on, 200 samples, one thread; the time is per step and sample.
void run_through_the_kernel(benchmark::State& state) {
  const int steps = 20;
  const int samples = 200;
  const Graph graph = check_graph(parse_yaml(chain(steps, samples), "bench"), "bench", probes());
  RunOptions options;
  options.threads = static_cast<int>(state.range(0));
  for (auto _ : state) {
    const auto summary = run_graph(graph, options);
    if (summary.done != samples) std::abort();
  }
  state.counters["us_a_step"] =
      benchmark::Counter(steps * samples * 1e-6, benchmark::Counter::kIsIterationInvariantRate |
                                                     benchmark::Counter::kInvert);
}
BENCHMARK(run_through_the_kernel)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

// The same calls without the kernel.
void call_plugins_directly(benchmark::State& state) {
  const int steps = 20;
  const int samples = 200;
  const auto library =
      PluginLibrary::open(std::filesystem::path(MOMAP_PROBES_FOLDER) / "probes.so");
  const auto* info = probes().find("annotation/probe_pass");
  std::vector<std::shared_ptr<Annotator>> chain;
  for (int i = 0; i < steps; ++i) {
    chain.push_back(library->make<Annotator>(info->id, default_values(info->params)));
  }
  Clip clip;
  clip.frames = at::zeros({2, 4, 6, 3}, at::kByte);
  const Context context;
  for (auto _ : state) {
    for (int i = 0; i < samples; ++i) {
      Clip at = clip;
      for (const auto& step : chain) at = step->annotate(at, context);
      benchmark::DoNotOptimize(at.frames.data_ptr());
    }
  }
  state.counters["us_a_step"] =
      benchmark::Counter(steps * samples * 1e-6, benchmark::Counter::kIsIterationInvariantRate |
                                                     benchmark::Counter::kInvert);
}
BENCHMARK(call_plugins_directly)->Unit(benchmark::kMillisecond);

// All plugins of the tree, first load in this process: one iteration, because a second load finds
// them loaded.
void load_all_plugins(benchmark::State& state) {
  const Catalog catalog = Catalog::read({MOMAP_PLUGINS_FOLDER}, describe_in_children);
  for (auto _ : state) {
    for (const auto& plugin : catalog.plugins()) {
      const auto library = PluginLibrary::open(plugin.library);
      benchmark::DoNotOptimize(library.get());
    }
  }
  state.counters["plugins"] = static_cast<double>(catalog.plugins().size());
}
BENCHMARK(load_all_plugins)->Iterations(1)->Unit(benchmark::kMillisecond);

void validate_a_graph_of_300_lines(benchmark::State& state) {
  const std::string yaml = chain(297, 1);
  const Catalog& catalog = probes();
  for (auto _ : state) {
    const Graph graph = check_graph(parse_yaml(yaml, "bench"), "bench", catalog);
    if (graph.steps.size() != 299) std::abort();
  }
}
BENCHMARK(validate_a_graph_of_300_lines)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace momap

int main(int argc, char** argv) {
  ::setenv("MOMAP_CACHE_DIR",
           (std::filesystem::temp_directory_path() / "momap-bench-cache").c_str(), 0);
  const momap::ThreadBudget budget(2);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
