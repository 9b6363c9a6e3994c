// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/backbone.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shape.h"

namespace denoiser {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// What tells clean latents from noise. Any h and w; differentiable and thread-safe.
class Network {
 public:
  virtual ~Network() = default;

  /// noisy f32 [B, C, h, w], noise_level f32 [B], spatial f32 [B, kConditionChannels detail^2, h,
  /// w] (see make_conditioning), tokens i64 [B, L] -> f32 [B, C, h, w].
  virtual at::Tensor forward(const at::Tensor& noisy, const at::Tensor& noise_level,
                             const at::Tensor& spatial, const at::Tensor& tokens) const = 0;

  virtual const NamedTensors& parameters() const = 0;
};

/// A family of networks: one plugin.
struct Kind {
  std::string id;                    ///< of the plugin
  std::vector<ShapeNumber> numbers;  ///< that its shapes have, besides `channels`
  std::function<std::shared_ptr<Network>(const Shape&, uint64_t seed)> make;
};

/// A network with what its training fixed.
struct Trained {
  Shape shape;
  std::shared_ptr<Network> network;
  momap::BackboneSpec spec;
};

/// By the names of momap::Prediction's values.
const char* name_of(momap::Prediction prediction);
momap::Prediction prediction_named(const std::string& name);

/// Reads a checkpoint. Throws ConfigError that lists everything missing, unknown, of another shape
/// or not finite.
Trained load_checkpoint(const std::filesystem::path& path, const Kind& kind);

/// Writes `parameters` and the spec as a safetensors file, weights as `storage` (f16 or f32), the
/// rest in its metadata.
void save_checkpoint(const std::filesystem::path& path, const Kind& kind, const Trained& trained,
                     const NamedTensors& parameters, const std::string& storage,
                     const std::string& card);

}  // namespace denoiser
