// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <checkpoint.h>

#include <memory>
#include <vector>

namespace dit {

/// Width (channels of a token), layers, heads of attention, and patch (latent cells a token along
/// each side).
std::vector<denoiser::ShapeNumber> shape_numbers();

/// A diffusion transformer (Peebles & Xie 2023): noise level and prompt shift, scale and gate every
/// layer (adaLN-Zero); each layer also attends to the words of the prompt. Places are sines and
/// cosines, so that any size will do.
class Transformer final : public denoiser::Network {
 public:
  Transformer(const denoiser::Shape& shape, uint64_t seed);
  ~Transformer() override;

  at::Tensor forward(const at::Tensor& noisy, const at::Tensor& noise_level,
                     const at::Tensor& spatial, const at::Tensor& tokens) const override;
  const denoiser::NamedTensors& parameters() const override;

 private:
  struct Layers;
  int64_t width_, patch_;
  std::unique_ptr<Layers> layers_;
};

}  // namespace dit
