// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace momap::network {

/// A square convolution with zero padding. On the CPU and in float32 by oneDNN; copies of its own
/// of the weights are shared.
class ConvolutionKernel {
 public:
  ConvolutionKernel() = default;
  /// weight [out, in, k, k], bias [out].
  ConvolutionKernel(at::Tensor weight, at::Tensor bias, int64_t stride, int64_t padding);

  at::Tensor operator()(const at::Tensor& x) const;  // [B, in, h, w] -> [B, out, h', w']

 private:
  struct Packed;
  at::Tensor packed_weight() const;

  at::Tensor weight_, bias_;
  int64_t stride_ = 1;
  int64_t padding_ = 0;
  std::shared_ptr<Packed> packed_;
};

}  // namespace momap::network
