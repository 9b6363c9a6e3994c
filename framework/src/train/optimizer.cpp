// SPDX-License-Identifier: Apache-2.0
#include "optimizer.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/clones.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/tensor_file.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace momap {
namespace {

constexpr const char* kFormat = "momap training state 1";
constexpr double kMeanDecay = 0.9;
constexpr double kSquareDecay = 0.99;
constexpr double kTiny = 1e-8;

struct Rates {
  float rate;          // of this step, times the correction of the mean's start
  float square_scale;  // correction of the square's start
  float keep;          // what weight decay leaves
  float scale;         // of the gradient, by clipping
  float average;       // decay of the average
};

MOMAP_CLONES void update_weights(float* value, float* average, float* mean, float* square,
                                 const float* gradient, int64_t count, const Rates& r) {
  constexpr auto kB1 = static_cast<float>(kMeanDecay);
  constexpr auto kB2 = static_cast<float>(kSquareDecay);
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * r.scale;
    mean[i] = kB1 * mean[i] + (1 - kB1) * g;
    square[i] = kB2 * square[i] + (1 - kB2) * g * g;
    value[i] =
        r.keep * value[i] -
        r.rate * mean[i] / (std::sqrt(square[i] * r.square_scale) + static_cast<float>(kTiny));
    average[i] = r.average * average[i] + (1 - r.average) * value[i];
  }
}

}  // namespace

Optimizer::Optimizer(const NamedTensors& parameters) {
  for (const auto& [name, tensor] : parameters) {
    const at::Tensor value = tensor.detach();
    weights_.push_back({name, value, value.clone(), at::zeros_like(value), at::zeros_like(value)});
  }
}

double Optimizer::learning_rate(const TrainOptions& options, int64_t step) {
  if (step < options.warmup) {
    return options.learning_rate * static_cast<double>(step + 1) /
           static_cast<double>(options.warmup);
  }
  const auto left = static_cast<double>(std::max<int64_t>(1, options.steps - options.warmup));
  const double done = static_cast<double>(step - options.warmup) / left;
  return options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done)));
}

double Optimizer::update(const std::vector<at::Tensor>& gradients, const TrainOptions& options,
                         int64_t step) {
  double squares = 0;
  for (const at::Tensor& gradient : gradients)
    squares += gradient.square().sum(at::kDouble).item<double>();
  const double norm = std::sqrt(squares);
  if (!std::isfinite(norm)) return norm;

  const auto n = static_cast<double>(step + 1);
  const double rate = learning_rate(options, step);
  Rates rates{};
  rates.rate = static_cast<float>(rate / (1 - std::pow(kMeanDecay, n)));
  rates.square_scale = static_cast<float>(1 / (1 - std::pow(kSquareDecay, n)));
  rates.scale = static_cast<float>(norm > options.clip ? options.clip / norm : 1.0);
  rates.average = static_cast<float>(std::min(options.ema, n / (n + 9)));  // short memory at first
  tbb::parallel_for(size_t{0}, weights_.size(), [&](size_t i) {
    const Weights& w = weights_[i];
    Rates own = rates;
    own.keep = static_cast<float>(w.value.dim() > 1 ? 1 - rate * options.weight_decay : 1.0);
    const at::Tensor gradient = gradients[i].contiguous();
    update_weights(w.value.data_ptr<float>(), w.average.data_ptr<float>(), w.mean.data_ptr<float>(),
                   w.square.data_ptr<float>(), gradient.data_ptr<float>(), w.value.numel(), own);
    w.value.unsafeGetTensorImpl()->bump_version();  // for who keeps something made from it
  });
  return norm;
}

Optimizer::NamedTensors Optimizer::averaged() const {
  NamedTensors out;
  for (const Weights& w : weights_) out.emplace_back(w.name, w.average);
  return out;
}

void Optimizer::use_averaged() {
  for (const Weights& w : weights_) w.value.copy_(w.average);
}

void Optimizer::save(const std::filesystem::path& path, int64_t step,
                     const std::string& identity) const {
  TensorFile file;
  for (const Weights& w : weights_) {
    file.tensors["value." + w.name] = w.value;
    file.tensors["average." + w.name] = w.average;
    file.tensors["mean." + w.name] = w.mean;
    file.tensors["square." + w.name] = w.square;
  }
  file.metadata = {{"format", kFormat}, {"step", std::to_string(step)}, {"identity", identity}};
  write_safetensors(path, file);
}

int64_t Optimizer::load(const std::filesystem::path& path, const std::string& identity) {
  const TensorFile file = read_safetensors(path);
  const auto fail = [&](const std::string& what) {
    throw ConfigError(fmt::format("{}: {}; remove the file to start over", shown(path), what));
  };
  const auto text = [&](const char* key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  if (text("format") != kFormat) fail("not a training state of this version");
  if (text("identity") != identity) {
    fail(fmt::format("belongs to a run with other settings:\n  {}\nthis run has\n  {}\n",
                     text("identity"), identity));
  }
  const auto restore = [&](const std::string& name, const at::Tensor& target) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.sizes() != target.sizes() ||
        found->second.scalar_type() != at::kFloat) {
      fail(fmt::format("tensor '{}' is missing or not f32 [{}]", name,
                       fmt::join(target.sizes(), ", ")));
    }
    target.copy_(found->second);
  };
  for (const Weights& w : weights_) {
    restore("value." + w.name, w.value);
    restore("average." + w.name, w.average);
    restore("mean." + w.name, w.mean);
    restore("square." + w.name, w.square);
  }
  if (text("step").empty() || text("step").find_first_not_of("0123456789") != std::string::npos ||
      text("step").size() > 15) {
    fail("metadata 'step' is not a number");
  }
  return std::stoll(text("step"));
}

}  // namespace momap
