// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <network/layers.h>

#include <cstdint>
#include <vector>

#include "attention.h"
#include "shape.h"

namespace denoiser {

/// Sines and cosines of the noise level f32 [B] at geometrically spaced frequencies, [B, width].
at::Tensor frequencies(const at::Tensor& noise_level, int64_t width);

/// A prompt as a network attends to it.
struct Text {
  at::Tensor tokens;  // f32 [B, text_width, L]; the first stands for "no text"
  at::Tensor absent;  // bool [B, L], tokens to leave out
  at::Tensor pooled;  // f32 [B, text_width], their mean
};

/// Learns words, their places and how they bear on one another.
class TextReader {
 public:
  TextReader() = default;
  TextReader(momap::network::Parameters& parameters, const Shape& shape);

  /// tokens i64 [B, L], 0 = none.
  Text operator()(const at::Tensor& tokens) const;

 private:
  // Attention between words and a layer for each.
  struct Layer {
    Attention attention;
    momap::network::Normalization norm;
    momap::network::Convolution widen, narrow;
  };

  at::Tensor words_;      // [kVocabulary, text_width]
  at::Tensor positions_;  // [1 + L, text_width]
  std::vector<Layer> layers_;
};

/// Brings the scene, seen `detail` times finer than the latent, to the latent's grid.
class SceneReader {
 public:
  SceneReader() = default;
  /// `width` = channels where the grids meet, about.
  SceneReader(momap::network::Parameters& parameters, const Shape& shape, int64_t width);

  /// f32 [B, kConditionChannels detail^2, h, w] (see make_conditioning) -> [B, channels(), h, w].
  at::Tensor operator()(const at::Tensor& spatial) const;
  int64_t channels() const { return channels_; }

 private:
  // Halves the grid.
  struct Level {
    momap::network::Convolution shrink, mix;
    momap::network::Normalization norm;
  };

  int64_t detail_ = 1;
  int64_t channels_ = 0;
  std::vector<Level> levels_;
};

}  // namespace denoiser
