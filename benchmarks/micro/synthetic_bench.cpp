// SPDX-License-Identifier: Apache-2.0
// Clips of synthetic worlds a second, all truth included, several at a time as the kernel asks for
// them.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <momap/plugin/loader.h>
#include <momap/stage/source.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

namespace momap {
namespace {

std::shared_ptr<Source> source(int64_t size, int64_t futures) {
  static const auto kLibrary =
      PluginLibrary::open(std::filesystem::path(MOMAP_PLUGINS_FOLDER) / "source/synthetic.so");
  for (const PluginInfo& plugin : kLibrary->describe()) {
    ParamValues values = default_values(plugin.params);
    for (auto& [name, value] : values) {
      if (name == "size") value = std::vector<int64_t>{size, size};
      if (name == "futures") value = futures;
      if (name == "count") value = int64_t{1} << 40;
    }
    return kLibrary->make<Source>(plugin.id, values);
  }
  std::abort();
}

// Arguments: image side, futures, threads.
void make_clips(benchmark::State& state) {
  at::set_num_threads(1);
  const auto threads = static_cast<int>(state.range(2));
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<size_t>(threads));
  const auto plugin = source(state.range(0), state.range(1));
  // So many that the wait for the last one, while other threads have nothing to do, weighs little.
  constexpr int64_t kClips = 96;
  // Textures are painted when first used, once for a source.
  constexpr int64_t kBefore = 32;
  tbb::parallel_for(int64_t{0}, kBefore, [&](int64_t i) { plugin->sample(i, Context{}); });
  int64_t first = kBefore;
  for (auto _ : state) {
    std::atomic<int64_t> pixels = 0;
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(first, first + kClips, 1),
        [&](const auto& range) {
          for (int64_t i = range.begin(); i < range.end(); ++i) {
            const Clip clip = plugin->sample(i, Context{});
            pixels += clip.frames.numel() * static_cast<int64_t>(clip.truth.size());
          }
        },
        tbb::simple_partitioner());
    first += kClips;
    if (pixels != kClips * 24 * 3 * state.range(0) * state.range(0) * state.range(1)) std::abort();
  }
  state.counters["clips_per_second"] = benchmark::Counter(
      static_cast<double>(kClips), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(make_clips)
    ->ArgNames({"side", "futures", "threads"})
    ->Args({128, 1, 2})
    ->Args({256, 1, 2})
    ->Args({128, 16, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace momap

BENCHMARK_MAIN();
