// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "config.h"
#include "layers.h"

namespace diffusers {

struct VaeConfig {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t latent_channels = 0;
  std::vector<int64_t> channels;  ///< from full resolution down; each level halves
  int64_t layers = 0;  ///< residual blocks a level of the encoder; the decoder has one more
  int64_t groups = 0;
  double scaling_factor = 0;  ///< latents are multiplied by it for the denoiser

  int64_t stride() const { return int64_t{1} << (channels.size() - 1); }
};

/// Throws ConfigError with everything in it that is wrong or not built here.
VaeConfig read_vae_config(ConfigReader config);

/// The autoencoder of Stable Diffusion (AutoencoderKL).
class Vae {
 public:
  /// Takes its tensors from `weights`; the caller checks them.
  Vae(const VaeConfig& config, Weights& weights);
  ~Vae();
  Vae(Vae&&) noexcept;
  Vae& operator=(Vae&&) noexcept;

  /// Of the latent's normal distribution, [B, latent_channels, h / stride, w / stride]; logvar is
  /// clamped to [-30, 20].
  struct Moments {
    at::Tensor mean;
    at::Tensor logvar;
  };

  /// image [B, in_channels, h, w] in [-1, 1]. The latent is not multiplied by the scaling factor.
  Moments encode(const at::Tensor& image, const Observer& observe = {}) const;

  /// latent, without scaling factor -> image [B, out_channels, h stride, w stride], about [-1, 1].
  at::Tensor decode(const at::Tensor& latent, const Observer& observe = {}) const;

  const VaeConfig& config() const { return config_; }

 private:
  struct Layers;
  VaeConfig config_;
  std::unique_ptr<Layers> layers_;
};

}  // namespace diffusers
