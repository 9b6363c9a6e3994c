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
  // To itself, then to the text.
  struct Attentions {
    Attention self, text;

    at::Tensor operator()(const at::Tensor& x, const at::Tensor& prompt,
                          const at::Tensor& no_prompt) const {
      return text(self(x, {}, {}), prompt, no_prompt);
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
  // Halves the condition's grid.
  struct Reader {
    Convolution shrink, mix;
    Normalization norm;
  };
  // Attention between words and a layer for each.
  struct TextLayer {
    Attention attention;
    Normalization norm;
    Convolution widen, narrow;
  };

  Layers(const Architecture& a, uint64_t seed);

  Parameters parameters;
  int64_t embedding;
  at::Tensor words;      // [kVocabulary, text_width]; row 0 stands for "no text"
  at::Tensor positions;  // [1 + kMaxTokens, text_width]
  std::vector<TextLayer> text_layers;
  Linear time1, time2, text;
  std::vector<Reader> readers;
  Convolution in;
  std::vector<Level> levels;
  std::vector<ResidualBlock> middle;
  std::vector<Attentions> middle_attention;  // one
  Normalization out_norm;
  Convolution out;
};

Network::Layers::Layers(const Architecture& a, uint64_t seed)
    : parameters(seed), embedding(4 * a.width) {
  words = parameters.add("text.words", {kVocabulary, a.text_width}, 0.5);
  positions = parameters.add("text.positions", {1 + a.tokens, a.text_width}, 0.02);
  for (int64_t i = 0; i < a.text_layers; ++i) {
    const std::string name = fmt::format("text.{}", i);
    text_layers.push_back(
        {Attention(parameters, name + ".attention", a.text_width, a.text_width),
         Normalization(parameters, name + ".norm", a.text_width),
         Convolution(parameters, name + ".widen", a.text_width, 2 * a.text_width, 1),
         Convolution(parameters, name + ".narrow", 2 * a.text_width, a.text_width, 1, 1, 0)});
  }
  text = Linear(parameters, "text.pooled", a.text_width, embedding);
  time1 = Linear(parameters, "time.1", a.width, embedding);
  time2 = Linear(parameters, "time.2", embedding, embedding);
  int64_t seen = kConditionChannels;
  for (int64_t fine = a.detail; fine > 1; fine /= 2) {
    const std::string name = fmt::format("condition.{}", readers.size());
    const int64_t wide = std::max<int64_t>(16, a.width / fine * 2);
    readers.push_back({Convolution(parameters, name + ".shrink", seen, wide, 3, 2),
                       Convolution(parameters, name + ".mix", wide, wide, 3),
                       Normalization(parameters, name + ".norm", wide)});
    seen = wide;
  }
  in = Convolution(parameters, "in", a.channels + seen, a.width, 3);

  const auto attentions = [&](const std::string& name, int64_t channels) {
    return Attentions{Attention(parameters, name + ".self_attention", channels, 0),
                      Attention(parameters, name + ".text_attention", channels, a.text_width)};
  };
  // The middle counts as the lowest level's.
  const auto attends = [&](int64_t level) {
    return level + a.attention >= a.levels && level + 1 < a.levels;
  };

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
    if (attends(i)) levels[i].down_attention.push_back(attentions(fmt::format("down.{}", i), now));
    if (i + 1 < a.levels)
      levels[i].shrink = Convolution(parameters, fmt::format("down.{}.shrink", i), now, now, 3, 2);
  }
  middle.emplace_back(parameters, "middle.0", now, now, embedding);
  middle_attention.push_back(attentions("middle", now));
  middle.emplace_back(parameters, "middle.1", now, now, embedding);
  for (int64_t i = a.levels - 1; i >= 0; --i) {
    for (int64_t b = 0; b < a.blocks; ++b) {
      levels[i].up.emplace_back(parameters, fmt::format("up.{}.{}", i, b), now + skips.back(),
                                width_at(a, i), embedding);
      skips.pop_back();
      now = width_at(a, i);
    }
    if (attends(i)) levels[i].up_attention.push_back(attentions(fmt::format("up.{}", i), now));
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
  at::Tensor embedded = at::embedding(l.words, ids) + l.positions.narrow(0, 0, ids.size(1));
  for (const auto& layer : l.text_layers) {
    at::Tensor x = embedded.transpose(1, 2);  // [B, text_width, L]
    x = layer.attention(x.unsqueeze(2), x, absent);
    x = x + layer.narrow(at::silu(layer.widen(layer.norm(x))));
    embedded = x.squeeze(2).transpose(1, 2);
  }
  const at::Tensor present = absent.logical_not().to(at::kFloat).unsqueeze(-1);
  const at::Tensor pooled = (embedded * present).sum(1) / present.sum(1);
  const at::Tensor text = embedded.transpose(1, 2);  // [B, text_width, L]

  at::Tensor embedding = l.time2(at::silu(l.time1(frequencies(noise_level, architecture_.width))));
  embedding = at::silu(embedding + l.text(pooled));

  at::Tensor condition =
      architecture_.detail > 1 ? at::pixel_shuffle(spatial, architecture_.detail) : spatial;
  for (const auto& reader : l.readers) {
    condition = at::silu(reader.norm(reader.shrink(condition)));
    condition = at::silu(reader.mix(condition));
  }
  at::Tensor x = at::cat({noisy, condition}, 1);
  if (pad_h || pad_w) x = at::replication_pad2d(x, {0, pad_w, 0, pad_h});
  x = l.in(x);
  std::vector<at::Tensor> skips;
  for (const auto& level : l.levels) {
    for (const auto& block : level.down) {
      x = block(x, embedding);
      skips.push_back(x);
    }
    for (const auto& attention : level.down_attention) x = attention(x, text, absent);
    if (&level != &l.levels.back()) x = level.shrink(x);
  }
  x = l.middle[0](x, embedding);
  for (const auto& attention : l.middle_attention) x = attention(x, text, absent);
  x = l.middle[1](x, embedding);
  for (size_t i = l.levels.size(); i-- > 0;) {
    for (const auto& block : l.levels[i].up) {
      x = block(at::cat({x, skips.back()}, 1), embedding);
      skips.pop_back();
    }
    for (const auto& attention : l.levels[i].up_attention) x = attention(x, text, absent);
    if (i > 0) x = l.levels[i].grow(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
  }
  x = l.out(at::silu(l.out_norm(x)));
  return pad_h || pad_w ? x.narrow(2, 0, h).narrow(3, 0, w).contiguous() : x;
}

}  // namespace unet
