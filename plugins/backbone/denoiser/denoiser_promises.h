// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/random.h>
#include <momap/stage/backbone.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What every denoiser promises, and what its tests ask it. Latents have three channels.

namespace denoiser::testing {

using momap::Condition;
using momap::Conditioning;
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

inline const momap::LatentSpec kLatent{"encoding/dct", 1, "words", 24, 0, 0};

inline at::Tensor normal(std::vector<int64_t> shape, uint64_t seed) {
  at::Tensor out = at::empty(shape, at::kFloat);
  momap::Random(seed).fill_normal({out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

/// Ready to be trained on a latent of so many channels. As made, the last layers are zero: each
/// parameter is changed so that all have an effect.
inline void stir(momap::Backbone& backbone, int64_t channels, int64_t stride) {
  backbone.begin_training(kLatent, stride, at::full({channels}, 0.5f));
  uint64_t seed = 0;
  for (auto& [name, tensor] : backbone.parameters()) {
    const double fan_in =
        static_cast<double>(std::max<int64_t>(1, tensor.numel() / tensor.size(0)));
    tensor.add_(normal(tensor.sizes().vec(), ++seed) *
                (tensor.dim() > 1 ? 0.7 / std::sqrt(fan_in) : 0.1));
  }
}

inline Condition scene(int64_t height, int64_t width, const std::string& text = "a door opens") {
  at::Tensor points = at::empty({height, width, 3});
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const double z = 2 + 0.1 * static_cast<double>(x) + 0.05 * static_cast<double>(y);
      points[y][x] =
          at::tensor({0.1 * static_cast<double>(x) * z, -0.2 * static_cast<double>(y) * z, z})
              .to(at::kFloat);
    }
  }
  const at::Tensor image =
      at::arange(height * width * 3).remainder(256).reshape({height, width, 3}).to(at::kByte);
  return {image, points, {}, at::zeros({height, width}, at::kInt), text};
}

inline void predicts_zero_before_training(momap::Backbone& fresh) {
  fresh.begin_training(kLatent, 1, at::ones({3}));
  const at::Tensor out =
      fresh.predict(normal({1, 3, 4, 4}, 1), at::ones({1}), fresh.prepare(scene(4, 4)));
  EXPECT_EQ(out.abs().max().item<float>(), 0.f);
}

inline void gradient_agrees_with_finite_differences(const momap::Backbone& backbone) {
  const int64_t stride = backbone.spec().stride;
  const Conditioning conditioning = backbone.prepare(scene(6 * stride, 5 * stride));
  const at::Tensor noisy = normal({1, 3, 6, 5}, 2);
  const at::Tensor level = at::full({1}, 0.3f);
  const at::Tensor direction = normal({1, 3, 6, 5}, 3);
  const auto loss = [&] {
    return (backbone.predict(noisy, level, conditioning) * direction).sum(at::kDouble);
  };
  const NamedTensors parameters = backbone.parameters();
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : parameters) tensors.push_back(tensor.set_requires_grad(true));
  const auto gradients = torch::autograd::grad({loss()}, tensors);
  for (const auto& tensor : tensors) tensor.set_requires_grad(false);

  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, tensor] = parameters[i];
    const double slope = gradients[i].norm().item<double>();
    ASSERT_GT(slope, 0) << name << " has no effect";
    const at::Tensor before = tensor.clone();
    const at::Tensor along = gradients[i] / slope;
    const double step = 4e-3;
    tensor.copy_(before + step * along);
    const double up = loss().item<double>();
    tensor.copy_(before - step * along);
    const double down = loss().item<double>();
    tensor.copy_(before);
    EXPECT_NEAR((up - down) / (2 * step), slope, 0.02 * slope + 2e-3) << name;
  }
}

inline void rows_of_a_batch_do_not_mix(const momap::Backbone& backbone) {
  const int64_t stride = backbone.spec().stride;
  const Conditioning a = backbone.prepare(scene(7 * stride, 6 * stride, "one"));
  Conditioning b = backbone.prepare(scene(7 * stride, 6 * stride, "two words"));
  b.spatial = b.spatial * 0.5;
  const at::Tensor x = normal({2, 3, 7, 6}, 5);
  const at::Tensor level = at::tensor({0.2f, 0.9f});
  const at::Tensor both =
      backbone.predict(x, level, {at::cat({a.spatial, b.spatial}), at::cat({a.tokens, b.tokens})});
  EXPECT_TRUE(at::allclose(both.slice(0, 0, 1),
                           backbone.predict(x.slice(0, 0, 1), level.slice(0, 0, 1), a), 1e-3,
                           1e-4));
  EXPECT_TRUE(at::allclose(both.slice(0, 1, 2),
                           backbone.predict(x.slice(0, 1, 2), level.slice(0, 1, 2), b), 1e-3,
                           1e-4));
}

}  // namespace denoiser::testing
