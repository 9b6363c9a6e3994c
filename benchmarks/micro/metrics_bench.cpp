// SPDX-License-Identifier: Apache-2.0
// What scoring a generated scene costs: K = 16 samples against M = 16 true futures of 24 frames at
// 256 x 256 px, by each generation metric and by all of them together.
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <benchmark/benchmark.h>
#include <momap/base/random.h>
#include <momap/plugin/loader.h>
#include <momap/stage/metric.h>
#include <momap/stage/torch_threads.h>
#include <tbb/global_control.h>

#include <cmath>
#include <cstdlib>

namespace {

using momap::Clip;
using momap::Datum;
using momap::MoMap;

constexpr int64_t kFrames = 24, kSize = 256;
constexpr int kSamples = 16, kTruths = 16, kThreads = 2;

/// The middle third of the picture goes in some direction, with noise along z.
MoMap motion(uint64_t seed, double noise) {
  momap::Random random(7, seed);
  MoMap map{at::empty({kFrames, kSize, kSize, 3}, at::kFloat),
            at::ones({kFrames, kSize, kSize}, at::kBool),
            at::ones({kSize, kSize}, at::kBool),
            {.fx = 256, .fy = 256, .cx = 127.5, .cy = 127.5, .width = kSize, .height = kSize}};
  const double angle = 6.28 * random.uniform(), speed = 0.02 + 0.02 * random.uniform();
  const auto vx = static_cast<float>(speed * std::cos(angle));
  const auto vy = static_cast<float>(speed * std::sin(angle));
  const auto wobble = static_cast<float>(noise * random.normal());
  float* p = map.xyz.data_ptr<float>();
  for (int64_t t = 0; t < kFrames; ++t) {
    for (int64_t y = 0; y < kSize; ++y) {
      for (int64_t x = 0; x < kSize; ++x, p += 3) {
        const bool moves = x / 86 == 1 && y / 86 == 1;
        const auto time = moves ? static_cast<float>(t) : 0.0f;
        p[0] = (static_cast<float>(x) - 127.5f) / 128 + vx * time;
        p[1] = (static_cast<float>(y) - 127.5f) / 128 + vy * time;
        p[2] = 2 + wobble * static_cast<float>((x * 7 + y * 3 + t) % 5);
      }
    }
  }
  return map;
}

struct Scene {
  std::vector<Datum> samples;
  Datum reference;
  momap::Inputs inputs;

  Scene() {
    Clip clip;
    for (int m = 0; m < kTruths; ++m) {
      clip.truth.push_back({.motion = motion(m, 0),
                            .caption = "",
                            .actions = {{.segment = 1,
                                         .verb = "slide",
                                         .direction = "left",
                                         .speed = "slow",
                                         .peak_at_least = 0.1,
                                         .peak_below = 1}}});
    }
    clip.frames = at::empty({kFrames, kSize, kSize, 3}, at::kByte);
    clip.camera = clip.truth[0].motion.camera;
    clip.segments = at::empty({kSize, kSize}, at::kInt);
    for (int64_t i = 0; i < kSize * kSize; ++i) {
      clip.segments->data_ptr<int32_t>()[i] = i % kSize / 86 == 1 && i / kSize / 86 == 1;
    }
    clip.joints = {{.kind = momap::Joint::Kind::slide, .segment = 1, .axis = {1, 0, 0}}};
    reference = std::move(clip);
    for (int k = 0; k < kSamples; ++k) samples.emplace_back(motion(100 + k, 0.001));
    std::vector<const Datum*> pointers;
    for (const Datum& sample : samples) pointers.push_back(&sample);
    inputs.add("samples", pointers);
    inputs.add("reference", {&reference});
  }
};

const Scene& scene() {
  static const Scene kScene;
  return kScene;
}

const std::vector<std::string> kMetrics{
    "displacement_error", "energy_score",       "motion_agreement",
    "rigidity",           "smoothness",         "leakage",
    "prompt_accuracy",    "articulation_error", "fvmd"};

std::shared_ptr<momap::Metric> metric(const std::string& name) {
  const char* given = std::getenv("MOMAP_BENCH_METRICS");  // another folder of metric plugins
  const std::string folder = given ? given : MOMAP_PLUGINS_FOLDER "/metric";
  const auto library = momap::PluginLibrary::open(folder + "/" + name + ".so");
  for (const auto& plugin : library->describe()) {
    if (plugin.id != "metric/" + name) continue;
    return std::static_pointer_cast<momap::Metric>(
        library->make_stage(plugin.id, momap::default_values(plugin.params)));
  }
  throw std::runtime_error("no metric/" + name);
}

void score(benchmark::State& state, const std::vector<std::string>& names) {
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, kThreads);
  std::vector<std::shared_ptr<momap::Metric>> metrics;
  for (const auto& name : names) metrics.push_back(metric(name));
  momap::Context context;
  context.sample = "bench";
  const auto once = [&] {
    for (const auto& each : metrics) {
      const momap::Score result = each->score(scene().inputs, context);
      for (const auto& value : result.values) {
        if (!value.value) throw std::runtime_error(value.name + ": " + value.undefined_reason);
      }
    }
  };
  try {
    once();
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
    return;
  }
  for (auto _ : state) once();
}

}  // namespace

int main(int argc, char** argv) {
  momap::keep_torch_on_this_thread();
  for (const auto& name : kMetrics) {
    benchmark::RegisterBenchmark(name.c_str(), score, std::vector{name})
        ->MeasureProcessCPUTime()
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("all generation metrics", score, kMetrics)
      ->MeasureProcessCPUTime()
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
