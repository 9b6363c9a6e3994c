// SPDX-License-Identifier: Apache-2.0
#include "squeezenet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/error.h>

#include <array>

namespace momap::lpips {
namespace {

// Of version 1.1: the scale of the LPIPS code's pictures (-1 to 1), RGB.
constexpr std::array kMean{-0.030, -0.088, -0.188}, kDeviation{0.458, 0.448, 0.450};
// Of version 1.0: levels, BGR.
constexpr std::array kCaffeMean{104.0, 117.0, 123.0};

}  // namespace

std::vector<SqueezeNet::Layer> SqueezeNet::layers_of_1_1() {
  const auto fire = [](int index, bool compared) {
    const std::string at = fmt::format("features.{}.", index);
    return Layer{Layer::Kind::fire, {at + "squeeze", at + "expand1x1", at + "expand3x3"}, compared};
  };
  // As in LPIPS: the first convolution, then the last fire module before a pool, and all after the
  // last pool.
  return {{Layer::Kind::convolution, {"features.0"}, true},
          {},
          fire(3, false),
          fire(4, true),
          {},
          fire(6, false),
          fire(7, true),
          {},
          fire(9, true),
          fire(10, true),
          fire(11, true),
          fire(12, true)};
}

std::vector<SqueezeNet::Layer> SqueezeNet::layers_of_1_0() {
  const auto fire = [](int index, bool compared) {
    const std::string at = fmt::format("fire{}/", index);
    return Layer{
        Layer::Kind::fire, {at + "conv1x1_1", at + "conv1x1_2", at + "conv3x3_2"}, compared};
  };
  return {{Layer::Kind::convolution, {"conv1"}, true},
          {},
          fire(2, false),
          fire(3, false),
          fire(4, true),
          {},
          fire(5, false),
          fire(6, true),
          fire(7, false),
          fire(8, true),
          {},
          fire(9, true)};
}

SqueezeNet::SqueezeNet(const std::filesystem::path& file) : file_(file.string()) {
  NpzFile npz(file);
  caffe_ = npz.contains("conv1.weight");
  if (!caffe_ && !npz.contains("features.0.weight")) {
    throw ConfigError(
        fmt::format("{}: holds neither 'features.0.weight' (SqueezeNet 1.1) nor 'conv1.weight' "
                    "(SqueezeNet 1.0); expected weights of one of the two",
                    file_));
  }
  layers_ = caffe_ ? layers_of_1_0() : layers_of_1_1();
  int64_t channels = 3;
  for (const Layer& layer : layers_) {
    if (layer.kind == Layer::Kind::convolution) {
      channels = read(npz, layer.arrays[0], channels, caffe_ ? 7 : 3);
    } else if (layer.kind == Layer::Kind::fire) {
      const int64_t squeezed = read(npz, layer.arrays[0], channels, 1);
      channels = read(npz, layer.arrays[1], squeezed, 1) + read(npz, layer.arrays[2], squeezed, 3);
    }
    if (layer.compared) channels_.push_back(channels);
  }
}

int64_t SqueezeNet::read(NpzFile& npz, const std::string& array, int64_t inputs, int64_t kernel) {
  const at::Tensor weight = npz.read(array + ".weight").to(at::kFloat).contiguous();
  const at::Tensor bias = npz.read(array + ".bias").to(at::kFloat).contiguous();
  const bool fits = weight.dim() == 4 && weight.size(1) == inputs && weight.size(2) == kernel &&
                    weight.size(3) == kernel && bias.dim() == 1 && bias.size(0) == weight.size(0);
  if (!fits) {
    throw ConfigError(
        fmt::format("{}: '{}' has weight {} and bias {}; expected [n, {}, {}, {}] and [n]", file_,
                    array, weight.sizes().vec(), bias.sizes().vec(), inputs, kernel, kernel));
  }
  weights_[array + ".weight"] = weight;
  weights_[array + ".bias"] = bias;
  return weight.size(0);
}

at::Tensor SqueezeNet::convolved(const at::Tensor& x, const std::string& array, int64_t stride,
                                 int64_t padding) const {
  return at::relu(
      at::conv2d(x, weights_.at(array + ".weight"), weights_.at(array + ".bias"), stride, padding));
}

at::Tensor SqueezeNet::normalized(const at::Tensor& rgb) const {
  const at::Tensor x = rgb.permute({2, 0, 1}).to(at::kFloat).unsqueeze(0);
  const auto channels = [](const std::array<double, 3>& values) {
    return at::tensor(at::ArrayRef<double>(values), at::kFloat).reshape({1, 3, 1, 1});
  };
  if (caffe_) return x.flip({1}) - channels(kCaffeMean);
  return (x / 127.5 - 1 - channels(kMean)) / channels(kDeviation);
}

std::vector<at::Tensor> SqueezeNet::features(const at::Tensor& rgb) const {
  at::Tensor x = normalized(rgb);
  std::vector<at::Tensor> features;
  for (const Layer& layer : layers_) {
    switch (layer.kind) {
      case Layer::Kind::convolution:
        x = convolved(x, layer.arrays[0], 2, 0);
        break;
      case Layer::Kind::pool:
        x = at::max_pool2d(x, 3, 2, 0, 1, /*ceil_mode=*/true);
        break;
      case Layer::Kind::fire:
        x = convolved(x, layer.arrays[0], 1, 0);
        x = at::cat({convolved(x, layer.arrays[1], 1, 0), convolved(x, layer.arrays[2], 1, 1)}, 1);
        break;
    }
    if (layer.compared) features.push_back(x);
  }
  return features;
}

}  // namespace momap::lpips
