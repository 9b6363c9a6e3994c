// SPDX-License-Identifier: Apache-2.0
#include "residual_block.h"

#include <ATen/ATen.h>

namespace unet {
ResidualBlock::ResidualBlock(momap::network::Parameters& parameters, const std::string& name,
                             int64_t in, int64_t out, int64_t embedding)
    : first_norm_(parameters, name + ".norm1", in),
      first_(parameters, name + ".conv1", in, out, 3),
      shift_(parameters, name + ".shift", embedding, out),
      second_norm_(parameters, name + ".norm2", out),
      second_(parameters, name + ".conv2", out, out, 3, 1, 0),
      widens_(in != out) {
  if (widens_) skip_ = momap::network::Convolution(parameters, name + ".skip", in, out, 1);
}

at::Tensor ResidualBlock::operator()(const at::Tensor& x, const at::Tensor& embedding) const {
  at::Tensor y = first_(first_norm_.with_silu(x));
  y = y + shift_(embedding).unsqueeze(-1).unsqueeze(-1);
  y = second_(second_norm_.with_silu(y));
  return y + (widens_ ? skip_(x) : x);
}

}  // namespace unet
