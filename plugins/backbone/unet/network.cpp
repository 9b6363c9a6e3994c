// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attention.h"
#include "readers.h"
#include "residual_block.h"

namespace unet {

using denoiser::Attention;
using denoiser::SceneReader;
using denoiser::Shape;
using denoiser::Text;
using denoiser::TextReader;
using momap::network::Convolution;
using momap::network::Linear;
using momap::network::Normalization;
using momap::network::Parameters;

std::vector<denoiser::ShapeNumber> shape_numbers() {
  return {{"width", 8, 512, 32, {}, 8},
          {"levels", 1, 6, 3},
          {"blocks", 1, 8, 1},
          {"attention", 1, 6, 1, 1}};
}

namespace {

int64_t width_at(int64_t width, int64_t level) { return width * std::min<int64_t>(level + 1, 4); }

}  // namespace

struct Network::Layers {
  // To itself, then to the text.
  struct Attentions {
    Attention self, text;

    at::Tensor operator()(const at::Tensor& x, const Text& prompt) const {
      return text(self(x, {}, {}), prompt.tokens, prompt.absent);
    }
  };
  struct Level {
    std::vector<ResidualBlock> down;
    std::vector<Attentions> down_attention;  // none or one
    Convolution shrink;
    std::vector<ResidualBlock> up;
    std::vector<Attentions> up_attention;  // none or one
    Convolution grow;
  };
  Layers(const Shape& shape, uint64_t seed);

  Parameters parameters;
  int64_t embedding;
  TextReader read_text;
  Linear time1, time2, text;
  SceneReader read_scene;
  Convolution in;
  std::vector<Level> levels;
  std::vector<ResidualBlock> middle;
  std::vector<Attentions> middle_attention;  // one
  Normalization out_norm;
  Convolution out;
};

Network::Layers::Layers(const Shape& shape, uint64_t seed)
    : parameters(seed), embedding(4 * shape.at("width")) {
  const int64_t width = shape.at("width"), text_width = shape.at("text_width");
  const int64_t channels = shape.at("channels"), depth = shape.at("levels");
  const int64_t blocks = shape.at("blocks"), attending = shape.at("attention");
  read_text = TextReader(parameters, shape);
  text = Linear(parameters, "text.pooled", text_width, embedding);
  time1 = Linear(parameters, "time.1", width, embedding);
  time2 = Linear(parameters, "time.2", embedding, embedding);
  read_scene = SceneReader(parameters, shape, width);
  in = Convolution(parameters, "in", channels + read_scene.channels(), width, 3);

  const auto attentions = [&](const std::string& name, int64_t wide) {
    return Attentions{Attention(parameters, name + ".self_attention", wide, 0),
                      Attention(parameters, name + ".text_attention", wide, text_width)};
  };
  // The middle counts as the lowest level's.
  const auto attends = [&](int64_t level) {
    return level + attending >= depth && level + 1 < depth;
  };

  std::vector<int64_t> skips;  // channels handed across, one per block on the way down
  int64_t now = width;
  levels.resize(static_cast<size_t>(depth));
  for (int64_t i = 0; i < depth; ++i) {
    for (int64_t b = 0; b < blocks; ++b) {
      levels[i].down.emplace_back(parameters, fmt::format("down.{}.{}", i, b), now,
                                  width_at(width, i), embedding);
      now = width_at(width, i);
      skips.push_back(now);
    }
    if (attends(i)) levels[i].down_attention.push_back(attentions(fmt::format("down.{}", i), now));
    if (i + 1 < depth)
      levels[i].shrink = Convolution(parameters, fmt::format("down.{}.shrink", i), now, now, 3, 2);
  }
  middle.emplace_back(parameters, "middle.0", now, now, embedding);
  middle_attention.push_back(attentions("middle", now));
  middle.emplace_back(parameters, "middle.1", now, now, embedding);
  for (int64_t i = depth - 1; i >= 0; --i) {
    for (int64_t b = 0; b < blocks; ++b) {
      levels[i].up.emplace_back(parameters, fmt::format("up.{}.{}", i, b), now + skips.back(),
                                width_at(width, i), embedding);
      skips.pop_back();
      now = width_at(width, i);
    }
    if (attends(i)) levels[i].up_attention.push_back(attentions(fmt::format("up.{}", i), now));
    if (i > 0) levels[i].grow = Convolution(parameters, fmt::format("up.{}.grow", i), now, now, 3);
  }
  out_norm = Normalization(parameters, "out.norm", now);
  out = Convolution(parameters, "out", now, channels, 3, 1, 0);
}

Network::Network(const Shape& shape, uint64_t seed)
    : width_(shape.at("width")),
      levels_(shape.at("levels")),
      layers_(std::make_unique<Layers>(shape, seed)) {}

Network::~Network() = default;

const denoiser::NamedTensors& Network::parameters() const { return layers_->parameters.list(); }

at::Tensor Network::forward(const at::Tensor& noisy, const at::Tensor& noise_level,
                            const at::Tensor& spatial, const at::Tensor& tokens) const {
  const Layers& l = *layers_;
  const int64_t h = noisy.size(2);
  const int64_t w = noisy.size(3);
  const int64_t unit = int64_t{1} << (levels_ - 1);
  const int64_t pad_h = (unit - h % unit) % unit;
  const int64_t pad_w = (unit - w % unit) % unit;

  const Text text = l.read_text(tokens);
  at::Tensor embedding = l.time2(at::silu(l.time1(denoiser::frequencies(noise_level, width_))));
  embedding = at::silu(embedding + l.text(text.pooled));
  at::Tensor x = at::cat({noisy, l.read_scene(spatial)}, 1);
  if (pad_h || pad_w) x = at::replication_pad2d(x, {0, pad_w, 0, pad_h});
  x = l.in(x);
  std::vector<at::Tensor> skips;
  for (const auto& level : l.levels) {
    for (const auto& block : level.down) {
      x = block(x, embedding);
      skips.push_back(x);
    }
    for (const auto& attention : level.down_attention) x = attention(x, text);
    if (&level != &l.levels.back()) x = level.shrink(x);
  }
  x = l.middle[0](x, embedding);
  for (const auto& attention : l.middle_attention) x = attention(x, text);
  x = l.middle[1](x, embedding);
  for (size_t i = l.levels.size(); i-- > 0;) {
    for (const auto& block : l.levels[i].up) {
      x = block(at::cat({x, skips.back()}, 1), embedding);
      skips.pop_back();
    }
    for (const auto& attention : l.levels[i].up_attention) x = attention(x, text);
    if (i > 0) x = l.levels[i].grow(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
  }
  x = l.out(l.out_norm.with_silu(x));
  return pad_h || pad_w ? x.narrow(2, 0, h).narrow(3, 0, w).contiguous() : x;
}

}  // namespace unet
