// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/stage/backbone.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "checkpoint.h"

namespace denoiser {

/// Parameters that all denoisers have.
struct DenoiserParams {
  std::string weights;
  int text_width = 0;
  int detail = 0;
  int tokens = 0;
  int text_layers = -1;
  std::string prediction;
  int64_t seed = 0;
  std::string storage = "f16";

  static auto schema() {
    using momap::param;
    return std::tuple{
        param("weights", &DenoiserParams::weights,
              "Checkpoint (safetensors) to load; empty: to be trained from `seed`.")
            .file(),
        param("text_width", &DenoiserParams::text_width,
              "Numbers that stand for a word. 0: as the checkpoint says, or 64.")
            .between(0, 1024),
        param("detail", &DenoiserParams::detail,
              "The condition is read on a grid so many times finer than the latent's, along each "
              "side: 1, 2, 4 or 8, a divisor of the encoding's stride. 0: as the checkpoint "
              "says, or 1.")
            .between(0, 8),
        param("tokens", &DenoiserParams::tokens,
              "Words of the prompt that count. 0: as the checkpoint says, or 16.")
            .between(0, 256),
        param("text_layers", &DenoiserParams::text_layers,
              "Layers of attention between the words. -1: as the checkpoint says, or 0.")
            .between(-1, 8),
        param("prediction", &DenoiserParams::prediction,
              "What is predicted: the noise, the velocity v, the clean latent x0 (easier where "
              "most of a scene stands still), or noise minus clean latent, as flow matching does. "
              "Empty: as the checkpoint says, or v.")
            .one_of({"", "epsilon", "v", "x0", "flow"}),
        param("seed", &DenoiserParams::seed, "Of the first weights when there is no checkpoint."),
        param("storage", &DenoiserParams::storage, "How `momap train` writes the weights.")
            .one_of({"f16", "f32"})
            .runtime_only(),
    };
  }
};

/// A denoiser that sees image, point map and segment edges as further input channels, and the
/// prompt as hashed words it learns: all but the network.
class TrainedBackbone : public momap::Backbone {
 public:
  momap::BackboneSpec spec() const override {
    return trained_ ? trained_->spec : momap::BackboneSpec{};
  }
  momap::Conditioning prepare(const momap::Condition& condition) const override;
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor& noise_level,
                     const momap::Conditioning& conditioning) const override;
  NamedTensors parameters() const override {
    return trained_ ? trained_->network->parameters() : NamedTensors{};
  }
  void begin_training(const momap::LatentSpec& latent, int64_t stride,
                      const at::Tensor& scale) override;
  void save(const std::filesystem::path& path, const NamedTensors& parameters,
            const std::string& card) const override;

 protected:
  /// `own`: those of the kind's numbers that the user set.
  TrainedBackbone(Kind kind, DenoiserParams params, Shape own);

 private:
  void check_given() const;
  void check_same(const momap::LatentSpec& latent, int64_t stride, int64_t channels) const;
  const Trained& trained() const;

  Kind kind_;
  DenoiserParams params_;
  Shape given_;
  std::optional<Trained> trained_;
};

}  // namespace denoiser
