// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/condition.h>
#include <momap/data/latent.h>
#include <momap/data/momap.h>
#include <momap/stage/stage.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// Turns motion maps into latents and back; both directions in one object because they must agree.
class Encoding : public Stage {
 public:
  /// K = 1.
  virtual Latent encode(const MoMap& momap, const Context& context) = 0;

  /// `latent` has K = 1; `condition` gives the first frame (its points) and the camera. Throws
  /// DataError when the latent was made by another encoding, version or normalisation.
  virtual MoMap decode(const Latent& latent, const Condition& condition,
                       const Context& context) = 0;

  /// Motion as losses compare it: displacements from frame 0 in frustum units, f32 [B, T, 3, h',
  /// w'] on the latent's grid or a finer one, differentiable in `values` f32 [B, C, h, w].
  /// Thread-safe. Throws ConfigError where that is not possible.
  virtual at::Tensor motion(const at::Tensor& values, const LatentSpec& spec) const;

  /// What a frozen network sees in such motion, layer by layer, f32 [B, C, h, w] each;
  /// differentiable and thread-safe. Empty: there is no network.
  virtual std::vector<at::Tensor> features(const at::Tensor& motion) const;

  /// Whether there is nothing to encode with before training.
  virtual bool needs_training() const { return false; }

  /// Before training: takes in one of the maps that say what is common to all (a basis, a scale).
  virtual void measure(const MoMap& momap);

  /// Ends measuring. Throws ConfigError when nothing was measured, nothing moves, or there is
  /// nothing to learn.
  virtual void begin_training();

  /// The learned tensors by name, shared with the network; empty for what cannot be trained by
  /// gradients. A network without weights has them only after `begin_training`.
  virtual std::vector<std::pair<std::string, at::Tensor>> parameters() const { return {}; }

  /// How far a map is from itself after encoding and decoding, and how much its latent costs;
  /// differentiable in the parameters. All that is drawn at random derives from `seed`.
  /// Thread-safe.
  virtual at::Tensor loss(const MoMap& momap, const Condition& condition, uint64_t seed) const;

  /// Writes `parameters` (the averaged ones, by the names of `parameters()`) with all that a later
  /// run needs to load them. Written aside and renamed.
  virtual void save(const std::filesystem::path& path,
                    const std::vector<std::pair<std::string, at::Tensor>>& parameters,
                    const std::string& card) const;
};

}  // namespace momap
