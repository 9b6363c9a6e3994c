// SPDX-License-Identifier: Apache-2.0
#include "layers.h"

#include <ATen/ATen.h>

#include <cmath>

#include "group_norm_silu.h"

namespace momap::network {
namespace {

constexpr int64_t kGroupWidth = 8;
constexpr double kEpsilon = 1e-5;

}  // namespace

at::Tensor Parameters::add(const std::string& name, const std::vector<int64_t>& shape,
                           double deviation) {
  at::Tensor tensor = at::zeros(shape, at::kFloat);
  if (deviation > 0) {
    random_.fill_normal({tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())});
    tensor.mul_(deviation);
  }
  list_.emplace_back(name, tensor);
  return tensor;
}

at::Tensor Parameters::add_constant(const std::string& name, const std::vector<int64_t>& shape,
                                    double value) {
  list_.emplace_back(name, at::full(shape, value, at::kFloat));
  return list_.back().second;
}

Convolution::Convolution(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
                         int64_t kernel, int64_t stride, double gain) {
  const at::Tensor weight =
      parameters.add(name + ".weight", {out, in, kernel, kernel},
                     gain / std::sqrt(static_cast<double>(in * kernel * kernel)));
  kernel_ = ConvolutionKernel(weight, parameters.add_constant(name + ".bias", {out}, 0), stride,
                              kernel / 2);
}

at::Tensor Convolution::operator()(const at::Tensor& x) const { return kernel_(x); }

Linear::Linear(Parameters& parameters, const std::string& name, int64_t in, int64_t out)
    : weight_(parameters.add(name + ".weight", {out, in}, 1 / std::sqrt(static_cast<double>(in)))),
      bias_(parameters.add_constant(name + ".bias", {out}, 0)) {}

at::Tensor Linear::operator()(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

Normalization::Normalization(Parameters& parameters, const std::string& name, int64_t channels)
    : weight_(parameters.add_constant(name + ".weight", {channels}, 1)),
      bias_(parameters.add_constant(name + ".bias", {channels}, 0)),
      groups_(channels / kGroupWidth) {}

at::Tensor Normalization::operator()(const at::Tensor& x) const {
  return at::group_norm(x, groups_, weight_, bias_, kEpsilon);
}

at::Tensor Normalization::with_silu(const at::Tensor& x) const {
  return group_norm_silu(x, groups_, weight_, bias_, kEpsilon);
}

ResidualBlock::ResidualBlock(Parameters& parameters, const std::string& name, int64_t channels)
    : first_norm_(parameters, name + ".norm1", channels),
      first_(parameters, name + ".conv1", channels, channels, 3),
      second_norm_(parameters, name + ".norm2", channels),
      second_(parameters, name + ".conv2", channels, channels, 3, 1, 0) {}

at::Tensor ResidualBlock::operator()(const at::Tensor& x) const {
  return x + second_(second_norm_.with_silu(first_(first_norm_.with_silu(x))));
}

}  // namespace momap::network
