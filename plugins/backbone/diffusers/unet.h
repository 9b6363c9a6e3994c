// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "layers.h"
#include "unet_config.h"

namespace diffusers {

/// The denoising network of Stable Diffusion 1.x and 2.x (UNet2DConditionModel), or one without
/// text (UNet2DModel).
class UNet {
 public:
  /// Takes its tensors from `weights`; the caller checks them.
  UNet(const UNetConfig& config, Weights& weights);
  ~UNet();
  UNet(UNet&&) noexcept;
  UNet& operator=(UNet&&) noexcept;

  /// The sinusoid of timesteps f32 [B], which may be fractional.
  at::Tensor sinusoid(const at::Tensor& time) const;

  /// sample [B, in, h, w] of any size, sinusoid [B, first channels], text [B, L, text_width]
  /// (undefined when it reads none) -> [B, out, h, w].
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& sinusoid, const at::Tensor& text,
                     const Observer& observe = {}) const;

  const UNetConfig& config() const { return config_; }

 private:
  struct Layers;
  UNetConfig config_;
  std::unique_ptr<Layers> layers_;
};

}  // namespace diffusers
