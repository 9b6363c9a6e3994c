// SPDX-License-Identifier: Apache-2.0
#include "readers.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "conditioning.h"

namespace denoiser {

using momap::network::Convolution;
using momap::network::Normalization;
using momap::network::Parameters;

at::Tensor frequencies(const at::Tensor& noise_level, int64_t width) {
  const int64_t half = width / 2;
  const at::Tensor exponent = at::arange(half, at::kFloat) / static_cast<double>(half);
  const at::Tensor angle =
      noise_level.unsqueeze(1) * (1000.0 * at::exp(-std::log(10000.0) * exponent));
  return at::cat({at::sin(angle), at::cos(angle)}, 1);
}

TextReader::TextReader(Parameters& parameters, const Shape& shape) {
  const int64_t width = shape.at("text_width");
  words_ = parameters.add("text.words", {kVocabulary, width}, 0.5);
  positions_ = parameters.add("text.positions", {1 + shape.at("tokens"), width}, 0.02);
  for (int64_t i = 0; i < shape.at("text_layers"); ++i) {
    const std::string name = fmt::format("text.{}", i);
    layers_.push_back({Attention(parameters, name + ".attention", width, width),
                       Normalization(parameters, name + ".norm", width),
                       Convolution(parameters, name + ".widen", width, 2 * width, 1),
                       Convolution(parameters, name + ".narrow", 2 * width, width, 1, 1, 0)});
  }
}

Text TextReader::operator()(const at::Tensor& tokens) const {
  // Token 0 leads, so that there is something to attend to without text; other zeros are left out.
  const at::Tensor ids = at::constant_pad_nd(tokens, {1, 0});
  at::Tensor absent = ids.eq(0);
  absent.select(1, 0).fill_(false);
  at::Tensor embedded = at::embedding(words_, ids) + positions_.narrow(0, 0, ids.size(1));
  for (const auto& layer : layers_) {
    at::Tensor x = embedded.transpose(1, 2);  // [B, text_width, L]
    x = layer.attention(x.unsqueeze(2), x, absent);
    x = x + layer.narrow(at::silu(layer.widen(layer.norm(x))));
    embedded = x.squeeze(2).transpose(1, 2);
  }
  const at::Tensor present = absent.logical_not().to(at::kFloat).unsqueeze(-1);
  return {embedded.transpose(1, 2), absent, (embedded * present).sum(1) / present.sum(1)};
}

SceneReader::SceneReader(Parameters& parameters, const Shape& shape, int64_t width)
    : detail_(shape.at("detail")), channels_(kConditionChannels) {
  for (int64_t fine = detail_; fine > 1; fine /= 2) {
    const std::string name = fmt::format("condition.{}", levels_.size());
    const int64_t wide = std::max<int64_t>(16, width / fine * 2);
    levels_.push_back({Convolution(parameters, name + ".shrink", channels_, wide, 3, 2),
                       Convolution(parameters, name + ".mix", wide, wide, 3),
                       Normalization(parameters, name + ".norm", wide)});
    channels_ = wide;
  }
}

at::Tensor SceneReader::operator()(const at::Tensor& spatial) const {
  at::Tensor x = detail_ > 1 ? at::pixel_shuffle(spatial, detail_) : spatial;
  for (const auto& level : levels_) {
    x = level.norm.with_silu(level.shrink(x));
    x = at::silu(level.mix(x));
  }
  return x;
}

}  // namespace denoiser
