// SPDX-License-Identifier: Apache-2.0
// Seconds a pair of RAFT-small at 1024x440, 20 iterations, features of both frames included: what
// benchmarks/peers/raft_small.py computes with Python torch. Weights: environment variable
// MOMAP_RAFT_SMALL.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <momap/run/threads.h>
#include <oneapi/tbb/global_control.h>
#include <sys/resource.h>

#include <cstdlib>
#include <opencv2/core.hpp>

#include "flow/raft_small.h"

namespace {

void a_pair(benchmark::State& state) {
  const char* weights = std::getenv("MOMAP_RAFT_SMALL");
  if (!weights) return state.SkipWithError("set MOMAP_RAFT_SMALL to the weights (.npz)");
  const momap::ThreadBudget budget(1);
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<size_t>(state.range(0)));
  at::set_num_threads(static_cast<int>(state.range(0)));
  const momap::RaftSmall network(weights);
  cv::Mat a(440, 1024, CV_8UC3), b(440, 1024, CV_8UC3);
  cv::theRNG().state = 1;
  cv::randu(a, 0, 255);
  cv::randu(b, 0, 255);
  for (auto _ : state) {
    benchmark::DoNotOptimize(network.flow(network.features(a), network.features(b), 20));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}

BENCHMARK(a_pair)->ArgName("threads")->Arg(1)->Arg(2)->MeasureProcessCPUTime()->UseRealTime()->Unit(
    benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
