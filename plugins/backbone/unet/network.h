// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace unet {

/// All that decides the names and shapes of a network's parameters.
struct Architecture {
  int64_t channels = 0;  ///< of the latent
  int64_t width =
      0;  ///< channels at full resolution, a multiple of 8; twice, three, four times that below
  int64_t levels = 0;      ///< resolutions, each half of the one above
  int64_t blocks = 0;      ///< residual blocks a level, on the way down and up
  int64_t text_width = 0;  ///< of a token's embedding
  int64_t detail =
      1;  ///< the condition is read on a grid so many times finer along each side: 1, 2, 4, 8
  int64_t tokens = 16;      ///< words of a prompt that count
  int64_t text_layers = 0;  ///< of self-attention between the words
  int64_t attention = 1;    ///< how many of the lowest levels attend to themselves and the text

  bool operator==(const Architecture&) const = default;
};

/// A U-Net with self- and text attention at its lowest levels (Ronneberger 2015, Ho 2020).
class Network {
 public:
  Network(const Architecture& architecture, uint64_t seed);
  ~Network();

  /// noisy f32 [B, C, h, w], noise_level f32 [B], spatial f32 [B, kConditionChannels detail^2, h,
  /// w] (see make_conditioning), tokens i64 [B, L] -> f32 [B, C, h, w]. Any h and w: padded by
  /// repeating the border, and cropped.
  at::Tensor forward(const at::Tensor& noisy, const at::Tensor& noise_level,
                     const at::Tensor& spatial, const at::Tensor& tokens) const;

  const Architecture& architecture() const { return architecture_; }
  const std::vector<std::pair<std::string, at::Tensor>>& parameters() const;

 private:
  struct Layers;
  Architecture architecture_;
  std::unique_ptr<Layers> layers_;
};

}  // namespace unet
