// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <momap/base/random.h>
#include <momap/stage/backbone.h>
#include <momap/stage/torch_threads.h>
#include <torch/csrc/autograd/autograd.h>

#include <stdexcept>

#include "plugin_fixture.h"

// A latent of 8 DCT coefficients on a 32 x 24 grid, as `momap train` sees it.

namespace {

at::Tensor normal(std::vector<int64_t> shape) {
  at::Tensor out = at::empty(shape, at::kFloat);
  momap::Random(1).fill_normal({out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

struct Problem {
  Problem(int64_t batch, int width) {
    momap::keep_torch_on_this_thread();
    backbone = momap::testing::make_plugin<momap::Backbone>(
        "backbone/unet", "{width: " + std::to_string(width) + "}");
    backbone->begin_training({"encoding/dct", 1, "", 24, 0, 0}, 8, at::ones({24}));
    noisy = normal({batch, 24, 24, 32});
    level = at::full({batch}, 0.5f);
    conditioning = {normal({batch, 8, 24, 32}), at::ones({batch, 16}, at::kLong)};
    if (predict().sizes() != noisy.sizes()) throw std::logic_error("wrong size");
  }
  at::Tensor predict() const { return backbone->predict(noisy, level, conditioning); }

  std::shared_ptr<momap::Backbone> backbone;
  at::Tensor noisy, level;
  momap::Conditioning conditioning;
};

void forward(benchmark::State& state) {
  const Problem problem(state.range(0), static_cast<int>(state.range(1)));
  const at::NoGradGuard no_grad;
  for (auto _ : state) benchmark::DoNotOptimize(problem.predict());
}

void forward_and_backward(benchmark::State& state) {
  const Problem problem(state.range(0), static_cast<int>(state.range(1)));
  std::vector<at::Tensor> parameters;
  for (const auto& [name, tensor] : problem.backbone->parameters())
    parameters.push_back(tensor.set_requires_grad(true));
  for (auto _ : state) torch::autograd::grad({problem.predict().square().sum()}, parameters);
}

BENCHMARK(forward)
    ->ArgNames({"batch", "width"})
    ->ArgsProduct({{1, 2}, {32, 40, 48}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(forward_and_backward)
    ->ArgNames({"batch", "width"})
    ->ArgsProduct({{1, 2, 4, 8}, {32, 40, 48}})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
