// SPDX-License-Identifier: Apache-2.0
// extraction/chained_flow on a synthetic clip of 24 frames of 256x256, and what of it the calls of
// OpenCV's DIS flow alone take that it makes: there and back, step by step and from frame 0 to
// each.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <momap/data/opencv.h>
#include <momap/run/threads.h>
#include <momap/stage/annotator.h>
#include <momap/stage/extractor.h>
#include <momap/stage/source.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <chrono>
#include <filesystem>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>
#include <vector>

#include "made_plugin.h"

namespace momap {
namespace {

void raw_flows(const Clip& clip) {
  std::vector<cv::Mat> grey(static_cast<size_t>(clip.length()));
  for (size_t t = 0; t < grey.size(); ++t) {
    cv::cvtColor(as_mat(clip.frames[static_cast<int64_t>(t)]), grey[t], cv::COLOR_RGB2GRAY);
  }
  std::vector<std::pair<size_t, size_t>> calls;
  for (size_t t = 1; t < grey.size(); ++t) {
    for (const size_t from : {t - 1, size_t{0}}) {
      if (t == 1 && from == 0 && calls.size() >= 2) continue;
      calls.emplace_back(from, t);
      calls.emplace_back(t, from);
    }
  }
  tbb::parallel_for(size_t{0}, calls.size(), [&](size_t i) {
    cv::Mat flow;
    cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_MEDIUM)
        ->calc(grey[calls[i].first], grey[calls[i].second], flow);
    benchmark::DoNotOptimize(flow.data);
  });
}

void chained_flow(benchmark::State& state) {
  const ThreadBudget budget(static_cast<int>(state.range(0)));
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<size_t>(state.range(0)));
  const auto extractor = make<Extractor>("extraction/chained_flow");
  const Clip clip = make<Source>("source/synthetic")->sample(3, Context{});
  using Clock = std::chrono::steady_clock;
  double raw = 0, whole = 0;
  raw_flows(clip);
  for (auto _ : state) {  // interleaved: the machine is shared
    const auto start = Clock::now();
    raw_flows(clip);
    const auto middle = Clock::now();
    benchmark::DoNotOptimize(extractor->extract(clip, Context{}));
    whole += std::chrono::duration<double>(Clock::now() - middle).count();
    raw += std::chrono::duration<double>(middle - start).count();
  }
  state.counters["dis_alone_ms"] = 1e3 * raw / static_cast<double>(state.iterations());
  state.counters["times_dis"] = whole / raw;
}

BENCHMARK(chained_flow)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void camera_pose(benchmark::State& state) {
  const ThreadBudget budget(1);
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, 1);
  const auto annotator = make<Annotator>("annotation/camera_pose");
  Clip clip = make<Source>("source/synthetic", {{"size", std::vector<int64_t>{480, 640}},
                                                {"camera", std::string("dolly")}})
                  ->sample(0, Context{});
  clip.cam_from_world.reset();
  if (state.range(0) == 0) clip.depth.reset();
  for (auto _ : state) benchmark::DoNotOptimize(annotator->annotate(clip, Context{}));
  state.counters["core_ms_per_frame"] = benchmark::Counter(
      static_cast<double>(clip.length()) * static_cast<double>(state.iterations()) / 1e3,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(camera_pose)->ArgName("depth")->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace momap

BENCHMARK_MAIN();
