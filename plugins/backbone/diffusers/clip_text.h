// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "config.h"
#include "layers.h"

namespace diffusers {

struct ClipTextConfig {
  int64_t vocabulary = 0;
  int64_t positions = 0;  ///< longest sequence
  int64_t width = 0;
  int64_t hidden = 0;  ///< width inside the feed-forward layers
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t end_token = 0;
  double epsilon = 0;
  bool quick_gelu = true;  ///< x sigmoid(1.702 x) instead of the exact gelu
};

/// Throws ConfigError with everything in it that is wrong or not built here.
ClipTextConfig read_clip_text_config(ConfigReader config);

/// The text encoder of CLIP (Radford et al. 2021).
class ClipText {
 public:
  /// Takes its tensors from `weights`; the caller checks them.
  ClipText(const ClipTextConfig& config, Weights& weights);

  /// All are [B, L, width] but for `pooled` [B, width].
  struct Output {
    std::vector<at::Tensor> layers;  ///< embeddings, then the value after each layer
    at::Tensor last;                 ///< after the final norm: what the denoiser reads
    at::Tensor penultimate;          ///< the final norm of the last layer but one
    at::Tensor pooled;               ///< `last` at the end token
  };

  /// ids i64 [B, L], L at most `positions`; mask i64 [B, L], 0 = leave this token out, or
  /// undefined.
  Output forward(const at::Tensor& ids, const at::Tensor& mask = {}) const;

  const ClipTextConfig& config() const { return config_; }

 private:
  struct Layer {
    LayerNorm norm1, norm2;
    Linear query, key, value, out, up, down;
  };
  ClipTextConfig config_;
  at::Tensor tokens_, positions_;
  std::vector<Layer> layers_;
  LayerNorm norm_;
};

}  // namespace diffusers
