// SPDX-License-Identifier: Apache-2.0
#include "transformer.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <network/layers.h>
#include <network/small_attention.h>

#include <cmath>

#include "readers.h"

namespace dit {

using denoiser::SceneReader;
using denoiser::Shape;
using denoiser::Text;
using denoiser::TextReader;
using momap::network::Linear;
using momap::network::Parameters;

std::vector<denoiser::ShapeNumber> shape_numbers() {
  return {{"width", 32, 2048, 192, {}, 32},
          {"layers", 1, 64, 6},
          {"heads", 1, 32, 6},
          {"patch", 1, 8, 1}};
}

namespace {

// A linear layer that first gives nothing.
Linear silent(Parameters& parameters, const std::string& name, int64_t in, int64_t out) {
  Linear layer(parameters, name, in, out);
  const auto& list = parameters.list();
  for (auto last = list.end() - 2; last != list.end(); ++last) last->second.zero_();
  return layer;
}

// Each token to mean 0 and deviation 1.
at::Tensor normed(const at::Tensor& x) { return at::layer_norm(x, {x.size(-1)}); }

// How one branch of a layer is steered, [B, 1, width] each.
struct Steering {
  at::Tensor shift, scale, gate;

  at::Tensor operator()(const at::Tensor& x) const { return normed(x) * (1 + scale) + shift; }
};

/// Multi-head attention of tokens f32 [B, N, width] to others [B, L, C].
class Attention {
 public:
  Attention(Parameters& parameters, const std::string& name, int64_t width, int64_t context,
            int64_t heads)
      : heads_(heads),
        query_(parameters, name + ".query", width, width),
        key_value_(parameters, name + ".key_value", context, 2 * width),
        out_(parameters, name + ".out", width, width) {}

  /// `absent` bool [B, L]: which to leave out; undefined: none.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& others,
                        const at::Tensor& absent) const {
    const int64_t batch = x.size(0), width = x.size(2), each = width / heads_;
    const auto parted = [&](const at::Tensor& y) {
      return y.reshape({batch, -1, heads_, each})
          .transpose(1, 2)
          .reshape({batch * heads_, -1, each});
    };
    const at::Tensor asked = query_(x);
    const auto both = key_value_(others).chunk(2, -1);
    if (!absent.defined() && momap::network::is_small_attention(asked, both[0], heads_)) {
      return out_(momap::network::small_attention(asked, both[0], both[1], heads_));
    }
    const at::Tensor query = parted(asked) / std::sqrt(static_cast<double>(each));
    at::Tensor score = at::bmm(query, parted(both[0]).transpose(1, 2));
    if (absent.defined()) {
      score = score.masked_fill(absent.unsqueeze(1).repeat_interleave(heads_, 0), -1e9);
    }
    const at::Tensor y = at::bmm(at::softmax(score, -1), parted(both[1]));
    return out_(y.reshape({batch, heads_, -1, each}).transpose(1, 2).reshape(x.sizes()));
  }

 private:
  int64_t heads_;
  Linear query_, key_value_, out_;
};

class Layer {
 public:
  Layer(Parameters& parameters, const std::string& name, int64_t width, int64_t text_width,
        int64_t heads)
      : steering_(silent(parameters, name + ".steering", width, 9 * width)),
        self_(parameters, name + ".self", width, width, heads),
        text_(parameters, name + ".text", width, text_width, heads),
        widen_(parameters, name + ".widen", width, 4 * width),
        narrow_(parameters, name + ".narrow", 4 * width, width) {}

  at::Tensor operator()(const at::Tensor& given, const at::Tensor& embedding,
                        const at::Tensor& words, const at::Tensor& absent) const {
    const auto parts = steering_(at::silu(embedding)).unsqueeze(1).chunk(9, -1);
    const auto branch = [&](size_t i) {
      return Steering{parts[3 * i], parts[3 * i + 1], parts[3 * i + 2]};
    };
    const Steering self = branch(0), text = branch(1), mix = branch(2);
    at::Tensor x = given;
    const at::Tensor seen = self(x);
    x = x + self.gate * self_(seen, seen, {});
    x = x + text.gate * text_(text(x), words, absent);
    return x + mix.gate * narrow_(at::gelu(widen_(mix(x)), "tanh"));
  }

 private:
  Linear steering_;
  Attention self_, text_;
  Linear widen_, narrow_;
};

// Sines and cosines of row and column, f32 [1, rows columns, width].
at::Tensor places(int64_t rows, int64_t columns, int64_t width) {
  const int64_t quarter = width / 4;
  const at::Tensor frequency = at::exp(at::arange(quarter, at::kFloat) *
                                       (-std::log(10000.0) / static_cast<double>(quarter)));
  const auto waves = [&](int64_t count) {
    const at::Tensor angle = at::arange(count, at::kFloat).unsqueeze(1) * frequency;
    return at::cat({at::sin(angle), at::cos(angle)}, 1);  // [count, width / 2]
  };
  const at::Tensor down = waves(rows).unsqueeze(1).expand({rows, columns, width / 2});
  const at::Tensor along = waves(columns).unsqueeze(0).expand({rows, columns, width / 2});
  return at::cat({down, along}, 2).reshape({1, rows * columns, width});
}

}  // namespace

struct Transformer::Layers {
  Layers(const Shape& shape, uint64_t seed);

  Parameters parameters;
  TextReader read_text;
  SceneReader read_scene;
  Linear text, time1, time2, in, out_steering, out;
  std::vector<Layer> layers;
};

Transformer::Layers::Layers(const Shape& shape, uint64_t seed) : parameters(seed) {
  const int64_t width = shape.at("width"), text_width = shape.at("text_width");
  const int64_t channels = shape.at("channels");
  const int64_t cells = shape.at("patch") * shape.at("patch");
  read_text = TextReader(parameters, shape);
  text = Linear(parameters, "text.pooled", text_width, width);
  time1 = Linear(parameters, "time.1", width, width);
  time2 = Linear(parameters, "time.2", width, width);
  read_scene = SceneReader(parameters, shape, width / 4);
  in = Linear(parameters, "in", (channels + read_scene.channels()) * cells, width);
  for (int64_t i = 0; i < shape.at("layers"); ++i) {
    layers.emplace_back(parameters, fmt::format("layer.{}", i), width, text_width,
                        shape.at("heads"));
  }
  out_steering = silent(parameters, "out.steering", width, 2 * width);
  out = silent(parameters, "out", width, channels * cells);
}

Transformer::Transformer(const Shape& shape, uint64_t seed)
    : width_(shape.at("width")),
      patch_(shape.at("patch")),
      layers_(std::make_unique<Layers>(shape, seed)) {}

Transformer::~Transformer() = default;

const denoiser::NamedTensors& Transformer::parameters() const { return layers_->parameters.list(); }

at::Tensor Transformer::forward(const at::Tensor& noisy, const at::Tensor& noise_level,
                                const at::Tensor& spatial, const at::Tensor& tokens) const {
  const Layers& l = *layers_;
  const int64_t batch = noisy.size(0), h = noisy.size(2), w = noisy.size(3);
  const int64_t pad_h = (patch_ - h % patch_) % patch_, pad_w = (patch_ - w % patch_) % patch_;

  const Text text = l.read_text(tokens);
  const at::Tensor words = text.tokens.transpose(1, 2);  // [B, L, text_width]
  const at::Tensor embedding =
      l.time2(at::silu(l.time1(denoiser::frequencies(noise_level, width_)))) + l.text(text.pooled);

  at::Tensor x = at::cat({noisy, l.read_scene(spatial)}, 1);
  if (pad_h || pad_w) x = at::replication_pad2d(x, {0, pad_w, 0, pad_h});
  x = at::pixel_unshuffle(x, patch_);
  const int64_t rows = x.size(2), columns = x.size(3);
  x = l.in(x.flatten(2).transpose(1, 2)) + places(rows, columns, width_);
  for (const Layer& layer : l.layers) x = layer(x, embedding, words, text.absent);

  const auto steering = l.out_steering(at::silu(embedding)).unsqueeze(1).chunk(2, -1);
  x = l.out(normed(x) * (1 + steering[1]) + steering[0]);
  x = at::pixel_shuffle(x.transpose(1, 2).reshape({batch, -1, rows, columns}), patch_);
  return pad_h || pad_w ? x.narrow(2, 0, h).narrow(3, 0, w).contiguous() : x;
}

}  // namespace dit
