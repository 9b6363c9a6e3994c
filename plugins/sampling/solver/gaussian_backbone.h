// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <momap/stage/backbone.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace sampling::testing {

inline momap::Condition condition_of(int64_t height, int64_t width, const std::string& text = "") {
  return {at::zeros({height, width, 3}, at::kByte),
          at::ones({height, width, 3}),
          {},
          std::nullopt,
          text};
}

/// The exact denoiser of normally distributed latents: every value has this mean and deviation.
/// With text, and with image, the mean is shifted.
class GaussianBackbone final : public momap::Backbone {
 public:
  double mean = 0;
  double deviation = 1;
  double text_shift = 0;
  double image_shift = 0;
  momap::Prediction prediction = momap::Prediction::v;
  momap::NoiseSchedule schedule;
  at::Tensor scale = at::ones({2});

  momap::BackboneSpec spec() const override {
    return {prediction, 2, {"encoding/test", 3, "words", 5, 0, 0}, 2, scale, schedule};
  }

  momap::Conditioning prepare(const momap::Condition& condition) const override {
    const int64_t h = (condition.image.size(0) + 1) / 2;
    const int64_t w = (condition.image.size(1) + 1) / 2;
    return {at::ones({1, 1, h, w}), at::full({1, 1}, condition.text.empty() ? 0 : 1, at::kLong)};
  }

  at::Tensor predict(const at::Tensor& noisy, const at::Tensor& time,
                     const momap::Conditioning& given) const override {
    std::vector<at::Tensor> rows;
    for (int64_t b = 0; b < noisy.size(0); ++b) {
      const momap::NoiseLevel level = schedule.at(time[b].item<double>());
      const auto [alpha, sigma] = level;
      const double center = mean + (given.tokens[b][0].item<int64_t>() ? text_shift : 0) +
                            (given.spatial[b].max().item<double>() > 0 ? image_shift : 0);
      const double variance = deviation * deviation;
      const double total = alpha * alpha * variance + sigma * sigma;
      const at::Tensor excess = noisy[b].to(at::kDouble) - alpha * center;
      const at::Tensor clean = center + alpha * variance / total * excess;
      const at::Tensor noise = sigma / total * excess;
      rows.push_back(answer(clean, noise, level).to(at::kFloat));
    }
    return at::stack(rows);
  }

 private:
  at::Tensor answer(const at::Tensor& clean, const at::Tensor& noise,
                    momap::NoiseLevel level) const {
    switch (prediction) {
      case momap::Prediction::epsilon:
        return noise;
      case momap::Prediction::x0:
        return clean;
      case momap::Prediction::v:
        return level.alpha * noise - level.sigma * clean;
      case momap::Prediction::flow:
        return noise - clean;
    }
    throw std::logic_error("a kind of prediction it does not know");
  }
};

}  // namespace sampling::testing
