// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <network/layers.h>

#include <string>

namespace unet {

using momap::network::Convolution;
using momap::network::Linear;
using momap::network::Normalization;
using momap::network::Parameters;

/// x + convolutions of x, shifted by the embedding of noise level and text.
class ResidualBlock {
 public:
  ResidualBlock(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
                int64_t embedding);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& embedding) const;

 private:
  Normalization first_norm_;
  Convolution first_;
  Linear shift_;
  Normalization second_norm_;
  Convolution second_;
  Convolution skip_;
  bool widens_;
};

/// Multi-head attention of the pixels to one another, or to text tokens.
class Attention {
 public:
  /// `context` = width of the tokens; 0: attends to the pixels themselves.
  Attention(Parameters& parameters, const std::string& name, int64_t channels, int64_t context);

  /// x [B, C, h, w]; tokens [B, context, L] and absent bool [B, L] (tokens to leave out) for text.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& tokens,
                        const at::Tensor& absent) const;

 private:
  int64_t heads_;
  Normalization norm_;
  Convolution query_;
  Convolution key_value_;
  Convolution out_;
};

}  // namespace unet
