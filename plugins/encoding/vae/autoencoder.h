// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vae {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// All that decides the names and shapes of the parameters.
struct Architecture {
  int64_t curves = 8;    ///< DCT coefficients over time that go in and come out
  int64_t stride = 8;    ///< pixels a latent cell along each side: 4, 8 or 16
  int64_t channels = 8;  ///< of the latent
  int64_t width = 64;    ///< channels at a quarter of the resolution; more below

  bool operator==(const Architecture&) const = default;
};

/// Normal distributions of the latent's values, [B, C, h, w] each.
struct Posterior {
  at::Tensor mean, log_variance;
};

/// A convolutional variational autoencoder (Kingma & Welling 2014) of paths, whose decoder sees
/// where the surfaces of the scene end.
///
/// Paths are coordinates f32 [B, 3 curves, H, W] in a temporal basis, in units of `unit`; any H and
/// W.
class Autoencoder {
 public:
  Autoencoder(const Architecture& architecture, uint64_t seed);
  ~Autoencoder();

  const Architecture& architecture() const { return architecture_; }
  const NamedTensors& parameters() const;

  Posterior encode(const at::Tensor& paths) const;

  /// `guide` f32 [B, kGuideChannels, H, W] decides the size; all zero: nothing is known.
  at::Tensor decode(const at::Tensor& latent, const at::Tensor& guide) const;

  /// What the encoder's levels see.
  std::vector<at::Tensor> features(const at::Tensor& paths) const;

  at::Tensor unit;  // f32 [3 curves], root mean square of what moves; 1 until it is measured

 private:
  struct Layers;
  Architecture architecture_;
  std::unique_ptr<Layers> layers_;
};

/// Throws ConfigError with all that is wrong with the file.
std::unique_ptr<Autoencoder> load_autoencoder(const std::filesystem::path& path);

/// As f16, written aside and renamed.
void save_autoencoder(const std::filesystem::path& path, const Autoencoder& autoencoder,
                      const NamedTensors& parameters, const std::string& card);

}  // namespace vae
