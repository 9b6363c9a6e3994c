// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/condition.h>
#include <momap/data/latent.h>
#include <momap/stage/noise_schedule.h>
#include <momap/stage/stage.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// A condition as a backbone reads it, made once and used at every noise level. Zeros mean "not
/// given", which is how guidance and condition dropout take a part away.
struct Conditioning {
  at::Tensor spatial;  // f32 [B, C', h, w] on the latent's grid
  at::Tensor tokens;   // i64 [B, L] text tokens; 0 = none
  at::Tensor text{};  // f32 [B, L, D] text as a frozen encoder sees it, for networks that read that
};

/// What the prediction of a backbone means, for x_t = alpha x_0 + sigma eps: eps, alpha eps - sigma
/// x_0, x_0, or eps - x_0 (the velocity of flow matching).
enum class Prediction { epsilon, v, x0, flow };

/// A latent's shape and meaning as a backbone was trained for.
///
/// A backbone works on latents whose channels are divided by `scale`: samplers multiply what they
/// drew by it, the trainer divides what it shows.
struct BackboneSpec {
  Prediction prediction = Prediction::v;
  int64_t channels = 0;  ///< C of the latent; 0: not trained yet and without weights
  LatentSpec latent;     ///< height and width 0: follows the condition
  int64_t stride =
      1;             ///< pixels of the image per latent cell, along each side; h = ceil(H / stride)
  at::Tensor scale;  ///< f32 [C], root mean square of each channel over the training set
  NoiseSchedule schedule{};  ///< what it was trained on; gives the unit of time
};

/// Predicts noise, velocity or clean latents from noisy ones. All functions are const in effect and
/// thread-safe.
class Backbone : public Stage {
 public:
  virtual BackboneSpec spec() const = 0;

  /// B = 1.
  virtual Conditioning prepare(const Condition& condition) const = 0;

  /// noisy f32 [B, C, h, w] (in units of `scale`), time f32 [B] on the spec's schedule ->
  /// prediction f32 [B, C, h, w]. Differentiable where `parameters()` require gradients; samplers
  /// call it under at::NoGradGuard.
  virtual at::Tensor predict(const at::Tensor& noisy, const at::Tensor& time,
                             const Conditioning& conditioning) const = 0;

  /// The learned tensors by name, shared with the network; empty for what cannot be trained. A
  /// network without weights has them only after `begin_training`.
  virtual std::vector<std::pair<std::string, at::Tensor>> parameters() const { return {}; }

  /// Fixes what is learned from data before training starts (the latent's meaning and scale), and
  /// makes the parameters when there are none. `scale` f32 [C]: see BackboneSpec. Throws
  /// ConfigError when loaded weights are for another number of channels, encoding or stride.
  virtual void begin_training(const LatentSpec& latent, int64_t stride, const at::Tensor& scale);

  /// Writes `parameters` (the averaged ones, by the names of `parameters()`) with all that a later
  /// run needs to load them. Written aside and renamed.
  virtual void save(const std::filesystem::path& path,
                    const std::vector<std::pair<std::string, at::Tensor>>& parameters,
                    const std::string& card) const;
};

}  // namespace momap
