// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <network/layers.h>

#include <string>

namespace denoiser {

/// Multi-head attention of the pixels to one another, or to text tokens.
class Attention {
 public:
  /// `context` = width of the tokens; 0: attends to the pixels themselves.
  Attention(momap::network::Parameters& parameters, const std::string& name, int64_t channels,
            int64_t context);

  /// x [B, C, h, w]; tokens [B, context, L] and absent bool [B, L] (tokens to leave out) for text.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& tokens,
                        const at::Tensor& absent) const;

 private:
  int64_t heads_;
  momap::network::Normalization norm_;
  momap::network::Convolution query_;
  momap::network::Convolution key_value_;
  momap::network::Convolution out_;
};

}  // namespace denoiser
