// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "conditioning.h"
#include "layers.h"

namespace unet {
namespace {

int64_t width_at(const Architecture& a, int64_t level) {
  return a.width * std::min<int64_t>(level + 1, 4);
}

// Sines and cosines of the noise level at geometrically spaced frequencies, [B, width].
at::Tensor frequencies(const at::Tensor& noise_level, int64_t width) {
  const int64_t half = width / 2;
  const at::Tensor exponent = at::arange(half, at::kFloat) / static_cast<double>(half);
  const at::Tensor angle =
      noise_level.unsqueeze(1) * (1000.0 * at::exp(-std::log(10000.0) * exponent));
  return at::cat({at::sin(angle), at::cos(angle)}, 1);
}

}  // namespace

struct Network::Layers {
  struct Level {
    std::vector<ResidualBlock> down;
    Convolution shrink;
    std::vector<ResidualBlock> up;
    Convolution grow;
  };

  Layers(const Architecture& a, uint64_t seed);

  Parameters parameters;
  int64_t embedding;
  at::Tensor words;      // [kVocabulary, text_width]; row 0 stands for "no text"
  at::Tensor positions;  // [1 + kMaxTokens, text_width]
  Linear time1, time2, text;
  Convolution in;
  std::vector<Level> levels;
  std::vector<ResidualBlock> middle;
  std::vector<Attention> attention;
  Normalization out_norm;
  Convolution out;
};

Network::Layers::Layers(const Architecture& a, uint64_t seed)
    : parameters(seed), embedding(4 * a.width) {
  words = parameters.add("text.words", {kVocabulary, a.text_width}, 0.5);
  positions = parameters.add("text.positions", {1 + kMaxTokens, a.text_width}, 0.02);
  text = Linear(parameters, "text.pooled", a.text_width, embedding);
  time1 = Linear(parameters, "time.1", a.width, embedding);
  time2 = Linear(parameters, "time.2", embedding, embedding);
  in = Convolution(parameters, "in", a.channels + kConditionChannels, a.width, 3);

  std::vector<int64_t> skips;  // channels handed across, one per block on the way down
  int64_t now = a.width;
  levels.resize(static_cast<size_t>(a.levels));
  for (int64_t i = 0; i < a.levels; ++i) {
    for (int64_t b = 0; b < a.blocks; ++b) {
      levels[i].down.emplace_back(parameters, fmt::format("down.{}.{}", i, b), now, width_at(a, i),
                                  embedding);
      now = width_at(a, i);
      skips.push_back(now);
    }
    if (i + 1 < a.levels)
      levels[i].shrink = Convolution(parameters, fmt::format("down.{}.shrink", i), now, now, 3, 2);
  }
  middle.emplace_back(parameters, "middle.0", now, now, embedding);
  attention.emplace_back(parameters, "middle.self_attention", now, 0);
  attention.emplace_back(parameters, "middle.text_attention", now, a.text_width);
  middle.emplace_back(parameters, "middle.1", now, now, embedding);
  for (int64_t i = a.levels - 1; i >= 0; --i) {
    for (int64_t b = 0; b < a.blocks; ++b) {
      levels[i].up.emplace_back(parameters, fmt::format("up.{}.{}", i, b), now + skips.back(),
                                width_at(a, i), embedding);
      skips.pop_back();
      now = width_at(a, i);
    }
    if (i > 0) levels[i].grow = Convolution(parameters, fmt::format("up.{}.grow", i), now, now, 3);
  }
  out_norm = Normalization(parameters, "out.norm", now);
  out = Convolution(parameters, "out", now, a.channels, 3, 1, 0);
}

Network::Network(const Architecture& architecture, uint64_t seed)
    : architecture_(architecture), layers_(std::make_unique<Layers>(architecture, seed)) {}

Network::~Network() = default;

const std::vector<std::pair<std::string, at::Tensor>>& Network::parameters() const {
  return layers_->parameters.list();
}

at::Tensor Network::forward(const at::Tensor& noisy, const at::Tensor& noise_level,
                            const at::Tensor& spatial, const at::Tensor& tokens) const {
  const Layers& l = *layers_;
  const int64_t h = noisy.size(2);
  const int64_t w = noisy.size(3);
  const int64_t unit = int64_t{1} << (architecture_.levels - 1);
  const int64_t pad_h = (unit - h % unit) % unit;
  const int64_t pad_w = (unit - w % unit) % unit;

  // Token 0 leads, so that there is something to attend to without text; other zeros are left out.
  const at::Tensor ids = at::constant_pad_nd(tokens, {1, 0});
  at::Tensor absent = ids.eq(0);
  absent.select(1, 0).fill_(false);
  const at::Tensor embedded = at::embedding(l.words, ids) + l.positions.narrow(0, 0, ids.size(1));
  const at::Tensor present = absent.logical_not().to(at::kFloat).unsqueeze(-1);
  const at::Tensor pooled = (embedded * present).sum(1) / present.sum(1);
  const at::Tensor text = embedded.transpose(1, 2);  // [B, text_width, L]

  at::Tensor embedding = l.time2(at::silu(l.time1(frequencies(noise_level, architecture_.width))));
  embedding = at::silu(embedding + l.text(pooled));

  at::Tensor x = at::cat({noisy, spatial}, 1);
  if (pad_h || pad_w) x = at::replication_pad2d(x, {0, pad_w, 0, pad_h});
  x = l.in(x);
  std::vector<at::Tensor> skips;
  for (const auto& level : l.levels) {
    for (const auto& block : level.down) {
      x = block(x, embedding);
      skips.push_back(x);
    }
    if (&level != &l.levels.back()) x = level.shrink(x);
  }
  x = l.middle[0](x, embedding);
  x = l.attention[0](x, {}, {});
  x = l.attention[1](x, text, absent);
  x = l.middle[1](x, embedding);
  for (size_t i = l.levels.size(); i-- > 0;) {
    for (const auto& block : l.levels[i].up) {
      x = block(at::cat({x, skips.back()}, 1), embedding);
      skips.pop_back();
    }
    if (i > 0) x = l.levels[i].grow(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
  }
  x = l.out(at::silu(l.out_norm(x)));
  return pad_h || pad_w ? x.narrow(2, 0, h).narrow(3, 0, w).contiguous() : x;
}

}  // namespace unet
