// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <network/layers.h>

#include <string>

namespace unet {

/// x + convolutions of x, shifted by the embedding of noise level and text.
class ResidualBlock {
 public:
  ResidualBlock(momap::network::Parameters& parameters, const std::string& name, int64_t in,
                int64_t out, int64_t embedding);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& embedding) const;

 private:
  momap::network::Normalization first_norm_;
  momap::network::Convolution first_;
  momap::network::Linear shift_;
  momap::network::Normalization second_norm_;
  momap::network::Convolution second_;
  momap::network::Convolution skip_;
  bool widens_;
};

}  // namespace unet
