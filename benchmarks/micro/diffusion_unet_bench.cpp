// SPDX-License-Identifier: Apache-2.0
// Seconds a step of diffusion U-Nets with random weights, float32, as samplers and `momap train`
// run them: what benchmarks/peers/unet2d.py computes with Python torch.
//
//   bench.diffusion_unet small|sd32|sd64 inference|training [REPETITIONS] [THREADS]
//
// small: UNet2DModel 64/128/256, 2 layers a block, attention at the lowest level, 24 channels,
// 32x32, batch 8. sd32, sd64: UNet2DConditionModel of Stable Diffusion 1.5 on latents of that side,
// batch 2. Prints the median of the seconds a step, the fastest, and the peak memory in MiB.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/run/threads.h>
#include <momap/stage/torch_threads.h>
#include <momap/train/trainer.h>
#include <sys/resource.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "unet.h"

namespace {

using diffusers::UNet;
using diffusers::UNetConfig;
using diffusers::Weights;

struct Problem {
  UNetConfig config;
  int64_t batch, channels, side;
};

Problem problem_named(const std::string& name) {
  UNetConfig config;
  config.layers = 2;
  config.groups = 32;
  config.epsilon = 1e-5;
  if (name == "small") {
    config.reads_text = false;
    config.in_channels = config.out_channels = 24;
    config.levels = {{64, 8, false, false}, {128, 16, false, false}, {256, 32, true, true}};
    return {config, 8, 24, 32};
  }
  config.in_channels = config.out_channels = 4;
  config.text_width = 768;
  config.levels = {
      {320, 8, true, true}, {640, 8, true, true}, {1280, 8, true, true}, {1280, 8, false, false}};
  return {config, 2, 4, name == "sd32" ? 32 : 64};
}

at::Tensor normal(const std::vector<int64_t>& shape, uint64_t seed, double deviation) {
  at::Tensor out = at::empty(shape, at::kFloat);
  momap::Random(seed).fill_normal({out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out.mul_(deviation);
}

/// A network with random weights, and what it is asked.
class Denoiser final : public momap::Lesson {
 public:
  explicit Denoiser(const Problem& problem)
      : noisy(normal({problem.batch, problem.channels, problem.side, problem.side}, 1, 1)),
        target(normal(noisy.sizes().vec(), 2, 1)) {
    Weights shapes = Weights::shapes_only();
    const UNet asks(problem.config, shapes);
    std::map<std::string, at::Tensor> stored;
    uint64_t seed = 10;
    for (const auto& [name, shape] : shapes.shapes()) {
      const at::Tensor tensor = at::empty(shape, at::kFloat);
      const double fan_in = static_cast<double>(tensor.numel() / tensor.size(0));
      stored[name] =
          shape.size() == 1 ? at::ones(shape) : normal(shape, ++seed, 1 / std::sqrt(fan_in));
    }
    Weights weights(std::move(stored), at::kFloat);
    network.emplace(problem.config, weights);
    parameters_ = weights.taken();
    if (problem.config.reads_text)
      text = normal({problem.batch, 77, problem.config.text_width}, 3, 1);
  }

  at::Tensor predict(int64_t first, int64_t count) const {
    return network->forward(noisy.narrow(0, first, count),
                            network->sinusoid(at::full({count}, 500.0f)),
                            text.defined() ? text.narrow(0, first, count) : text);
  }

  int64_t size() const override { return noisy.size(0); }
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override {
    return parameters_;
  }
  // Consecutive slots are consecutive examples here: which ones does not matter for time.
  at::Tensor loss(const std::vector<momap::Slot>& slots, const momap::SkipExample&) const override {
    const auto count = static_cast<int64_t>(slots.size());
    return (predict(0, count) - target.narrow(0, 0, count)).square().mean() *
           static_cast<double>(count);
  }
  void save(const std::filesystem::path&, const std::vector<std::pair<std::string, at::Tensor>>&,
            const std::string&) const override {}

  at::Tensor noisy, target, text;
  std::optional<UNet> network;

 private:
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
};

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::vector<double> infer(const Denoiser& denoiser, int repetitions, int threads) {
  const int64_t batch = denoiser.size(), part = (batch + threads - 1) / threads;
  std::vector<double> times;
  for (int i = -1; i < repetitions; ++i) {
    const auto begin = Clock::now();
    tbb::parallel_for(int64_t{0}, (batch + part - 1) / part, [&](int64_t p) {
      momap::keep_torch_on_this_thread();
      const at::NoGradGuard no_grad;
      denoiser.predict(p * part, std::min(part, batch - p * part));
    });
    if (i >= 0) times.push_back(seconds_since(begin));
  }
  return times;
}

std::vector<double> teach(const Denoiser& denoiser, int repetitions, int threads) {
  const momap::TemporaryFolder folder;
  momap::TrainOptions options;
  options.steps = repetitions + 1;
  options.batch = denoiser.size();
  options.micro_batch = (denoiser.size() + threads - 1) / threads;
  options.report_every = 1;
  options.save_every = options.steps + 1;
  std::vector<double> times;
  auto begin = Clock::now();
  momap::TrainCallbacks callbacks;
  callbacks.progress = [&](const momap::TrainProgress& progress) {
    if (progress.step > 1) times.push_back(seconds_since(begin));
    begin = Clock::now();
  };
  momap::train(denoiser, options, 1, {folder.path() / "model", folder.path() / "state", ""},
               callbacks);
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr,
                 "usage: bench.diffusion_unet small|sd32|sd64 inference|training [REPETITIONS] "
                 "[THREADS]\n");
    return 2;
  }
  const int repetitions = argc > 3 ? std::atoi(argv[3]) : 5;
  const int threads = argc > 4 ? std::atoi(argv[4]) : 2;
  const momap::ThreadBudget budget(threads);
  const Denoiser denoiser(problem_named(argv[1]));
  auto times = std::strcmp(argv[2], "training") == 0 ? teach(denoiser, repetitions, threads)
                                                     : infer(denoiser, repetitions, threads);
  std::ranges::sort(times);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{:.4f} {:.4f} {:.0f}\n", times[times.size() / 2], times[0],
             static_cast<double>(usage.ru_maxrss) / 1024);
}
