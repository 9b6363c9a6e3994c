// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/base/random.h>

#include <string>
#include <utility>
#include <vector>

#include "convolution.h"

namespace momap::network {

/// The learned tensors of a network by name, in the order in which its layers made them.
class Parameters {
 public:
  explicit Parameters(uint64_t seed) : random_(seed) {}

  /// A new f32 tensor of normal values with this standard deviation (0: all zero).
  at::Tensor add(const std::string& name, const std::vector<int64_t>& shape, double deviation);
  /// The same, all `value`.
  at::Tensor add_constant(const std::string& name, const std::vector<int64_t>& shape, double value);

  const std::vector<std::pair<std::string, at::Tensor>>& list() const { return list_; }

 private:
  momap::Random random_;
  std::vector<std::pair<std::string, at::Tensor>> list_;
};

/// Square convolution with zero padding that keeps (stride 1) or halves (stride 2) the size.
class Convolution {
 public:
  Convolution() = default;
  /// `gain` scales the initial weights; 0 makes a layer that first gives nothing.
  Convolution(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
              int64_t kernel, int64_t stride = 1, double gain = 1);
  at::Tensor operator()(const at::Tensor& x) const;  // [B, in, h, w] -> [B, out, h', w']

 private:
  ConvolutionKernel kernel_;
};

class Linear {
 public:
  Linear() = default;
  Linear(Parameters& parameters, const std::string& name, int64_t in, int64_t out);
  at::Tensor operator()(const at::Tensor& x) const;  // [B, in] -> [B, out]

 private:
  at::Tensor weight_;  // [out, in]
  at::Tensor bias_;    // [out]
};

/// Group normalisation over groups of 8 channels.
class Normalization {
 public:
  Normalization() = default;
  Normalization(Parameters& parameters, const std::string& name, int64_t channels);
  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor with_silu(const at::Tensor& x) const;  ///< silu of it, in one pass

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  int64_t groups_ = 1;
};

/// x + two convolutions of x, each after normalisation and SiLU; at first x.
class ResidualBlock {
 public:
  ResidualBlock(Parameters& parameters, const std::string& name, int64_t channels);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Normalization first_norm_;
  Convolution first_;
  Normalization second_norm_;
  Convolution second_;
};

}  // namespace momap::network
