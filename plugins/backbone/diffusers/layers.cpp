// SPDX-License-Identifier: Apache-2.0
#include "layers.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <network/group_norm_silu.h>
#include <network/small_attention.h>

#include <algorithm>
#include <cmath>

namespace diffusers {
namespace {

constexpr double kLayerNormEpsilon = 1e-5;
constexpr double kTransformerNormEpsilon = 1e-6;
constexpr int64_t kMostScores = int64_t{1} << 24;  // of one block of queries

// [B, h w, C] of an image and back.
at::Tensor flattened(const at::Tensor& x) { return x.flatten(2).transpose(1, 2); }
at::Tensor as_image(const at::Tensor& y, const at::Tensor& like) {
  return y.transpose(1, 2).reshape(like.sizes());
}

}  // namespace

Convolution::Convolution(Weights& weights, const std::string& name, int64_t in, int64_t out,
                         int64_t kernel, int64_t stride, int64_t padding) {
  const at::Tensor weight = weights.take(name + ".weight", {out, in, kernel, kernel});
  kernel_ = momap::network::ConvolutionKernel(weight, weights.take(name + ".bias", {out}), stride,
                                              padding < 0 ? kernel / 2 : padding);
}

at::Tensor Convolution::operator()(const at::Tensor& x) const { return kernel_(x); }

Linear::Linear(Weights& weights, const std::string& name, int64_t in, int64_t out, bool bias)
    : weight_(weights.take(name + ".weight", {out, in})) {
  if (bias) bias_ = weights.take(name + ".bias", {out});
}

at::Tensor Linear::operator()(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

GroupNorm::GroupNorm(Weights& weights, const std::string& name, int64_t groups, int64_t channels,
                     double epsilon)
    : weight_(weights.take(name + ".weight", {channels})),
      bias_(weights.take(name + ".bias", {channels})),
      groups_(groups),
      epsilon_(epsilon) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const {
  return at::group_norm(x, groups_, weight_, bias_, epsilon_);
}

at::Tensor GroupNorm::with_silu(const at::Tensor& x) const {
  return momap::network::group_norm_silu(x, groups_, weight_, bias_, epsilon_);
}

LayerNorm::LayerNorm(Weights& weights, const std::string& name, int64_t width, double epsilon)
    : weight_(weights.take(name + ".weight", {width})),
      bias_(weights.take(name + ".bias", {width})),
      epsilon_(epsilon) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, epsilon_);
}

ResnetBlock::ResnetBlock(Weights& weights, const std::string& name, const Shape& s)
    : norm1_(weights, name + ".norm1", s.groups, s.in, s.epsilon),
      norm2_(weights, name + ".norm2", s.groups, s.out, s.epsilon),
      conv1_(weights, name + ".conv1", s.in, s.out, 3),
      conv2_(weights, name + ".conv2", s.out, s.out, 3),
      has_time_(s.time_width > 0),
      widens_(s.in != s.out) {
  if (has_time_) time_ = Linear(weights, name + ".time_emb_proj", s.time_width, s.out);
  if (widens_) shortcut_ = Convolution(weights, name + ".conv_shortcut", s.in, s.out, 1);
}

at::Tensor ResnetBlock::operator()(const at::Tensor& x, const at::Tensor& time) const {
  at::Tensor y = conv1_(norm1_.with_silu(x));
  if (has_time_) y = y + time_(time).unsqueeze(-1).unsqueeze(-1);
  y = conv2_(norm2_.with_silu(y));
  return (widens_ ? shortcut_(x) : x) + y;
}

Downsample::Downsample(Weights& weights, const std::string& name, int64_t channels, bool symmetric)
    : conv_(weights, name + ".conv", channels, channels, 3, 2, symmetric ? 1 : 0),
      symmetric_(symmetric) {}

at::Tensor Downsample::operator()(const at::Tensor& x) const {
  return conv_(symmetric_ ? x : at::constant_pad_nd(x, {0, 1, 0, 1}));
}

Upsample::Upsample(Weights& weights, const std::string& name, int64_t channels)
    : conv_(weights, name + ".conv", channels, channels, 3) {}

at::Tensor Upsample::operator()(const at::Tensor& x, int64_t height, int64_t width) const {
  return conv_(at::upsample_nearest2d(x, {height, width}));
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                  const at::Tensor& mask) {
  if (!mask.defined() && momap::network::is_small_attention(q, k, heads)) {
    return momap::network::small_attention(q, k, v, heads);
  }
  const int64_t batch = q.size(0);
  const int64_t width = q.size(2) / heads;
  const auto split = [&](const at::Tensor& x) {
    return x.reshape({batch, x.size(1), heads, width})
        .transpose(1, 2)
        .reshape({batch * heads, x.size(1), width});
  };
  const at::Tensor queries = split(q) / std::sqrt(static_cast<double>(width));
  const at::Tensor keys = split(k).transpose(1, 2);
  const at::Tensor values = split(v);
  const int64_t count = q.size(1);
  const int64_t block =
      std::clamp<int64_t>(kMostScores / std::max<int64_t>(1, batch * heads * k.size(1)), 1, count);
  std::vector<at::Tensor> parts;
  for (int64_t first = 0; first < count; first += block) {
    const int64_t rows = std::min(block, count - first);
    at::Tensor scores = at::bmm(queries.narrow(1, first, rows), keys);
    if (mask.defined()) {
      scores = (scores.view({batch, heads, rows, -1}) + mask.narrow(1, first, rows).unsqueeze(1))
                   .view({batch * heads, rows, -1});
    }
    parts.push_back(at::bmm(at::softmax(scores, -1), values));
  }
  const at::Tensor out = parts.size() == 1 ? parts[0] : at::cat(parts, 1);
  return out.view({batch, heads, count, width}).transpose(1, 2).reshape(q.sizes());
}

PixelAttention::PixelAttention(Weights& weights, const std::string& name, int64_t channels,
                               int64_t heads, int64_t groups, double epsilon)
    : norm_(weights, name + ".group_norm", groups, channels, epsilon),
      q_(weights, name + ".to_q", channels, channels),
      k_(weights, name + ".to_k", channels, channels),
      v_(weights, name + ".to_v", channels, channels),
      out_(weights, name + ".to_out.0", channels, channels),
      heads_(heads) {}

at::Tensor PixelAttention::operator()(const at::Tensor& x) const {
  const at::Tensor y = flattened(norm_(x));
  return x + as_image(out_(attend(q_(y), k_(y), v_(y), heads_)), x);
}

at::Tensor timestep_sinusoid(const at::Tensor& time, int64_t width, bool cosine_first,
                             double frequency_shift) {
  const int64_t half = width / 2;
  const at::Tensor exponent = at::arange(half, at::kFloat) * -std::log(10000.0) /
                              (static_cast<double>(half) - frequency_shift);
  const at::Tensor angle = time.to(at::kFloat).unsqueeze(1) * at::exp(exponent).unsqueeze(0);
  const at::Tensor sine = at::sin(angle);
  const at::Tensor cosine = at::cos(angle);
  const at::Tensor out = cosine_first ? at::cat({cosine, sine}, 1) : at::cat({sine, cosine}, 1);
  return width % 2 == 1 ? at::constant_pad_nd(out, {0, 1}) : out;
}

TimeEmbedding::TimeEmbedding(Weights& weights, int64_t in, int64_t width)
    : linear1_(weights, "time_embedding.linear_1", in, width),
      linear2_(weights, "time_embedding.linear_2", width, width) {}

at::Tensor TimeEmbedding::operator()(const at::Tensor& sinusoid) const {
  return linear2_(at::silu(linear1_(sinusoid)));
}

PixelTransformer::PixelTransformer(Weights& weights, const std::string& name, const Shape& s)
    : shape_(s), norm_(weights, name + ".norm", s.groups, s.channels, kTransformerNormEpsilon) {
  const int64_t c = s.channels;
  if (s.linear_projection) {
    linear_in_ = Linear(weights, name + ".proj_in", c, c);
  } else {
    conv_in_ = Convolution(weights, name + ".proj_in", c, c, 1);
  }
  for (int64_t i = 0; i < s.depth; ++i) {
    const std::string block = fmt::format("{}.transformer_blocks.{}", name, i);
    const auto linear = [&](const char* part, int64_t in, int64_t out, bool bias) {
      return Linear(weights, block + part, in, out, bias);
    };
    const auto norm = [&](const char* part) {
      return LayerNorm(weights, block + part, c, kLayerNormEpsilon);
    };
    Block b;
    b.norm1 = norm(".norm1");
    b.q1 = linear(".attn1.to_q", c, c, false);
    b.k1 = linear(".attn1.to_k", c, c, false);
    b.v1 = linear(".attn1.to_v", c, c, false);
    b.out1 = linear(".attn1.to_out.0", c, c, true);
    b.norm2 = norm(".norm2");
    b.q2 = linear(".attn2.to_q", c, c, false);
    b.k2 = linear(".attn2.to_k", s.text_width, c, false);
    b.v2 = linear(".attn2.to_v", s.text_width, c, false);
    b.out2 = linear(".attn2.to_out.0", c, c, true);
    b.norm3 = norm(".norm3");
    b.gate = linear(".ff.net.0.proj", c, 8 * c, true);
    b.down = linear(".ff.net.2", 4 * c, c, true);
    blocks_.push_back(std::move(b));
  }
  if (s.linear_projection) {
    linear_out_ = Linear(weights, name + ".proj_out", c, c);
  } else {
    conv_out_ = Convolution(weights, name + ".proj_out", c, c, 1);
  }
}

at::Tensor PixelTransformer::operator()(const at::Tensor& x, const at::Tensor& text) const {
  const at::Tensor normed = norm_(x);
  at::Tensor y =
      shape_.linear_projection ? linear_in_(flattened(normed)) : flattened(conv_in_(normed));
  for (const Block& b : blocks_) {
    at::Tensor z = b.norm1(y);
    y = y + b.out1(attend(b.q1(z), b.k1(z), b.v1(z), shape_.heads));
    z = b.norm2(y);
    y = y + b.out2(attend(b.q2(z), b.k2(text), b.v2(text), shape_.heads));
    const std::vector<at::Tensor> halves = b.gate(b.norm3(y)).chunk(2, -1);
    y = y + b.down(halves[0] * at::gelu(halves[1]));
  }
  return x + (shape_.linear_projection ? as_image(linear_out_(y), x) : conv_out_(as_image(y, x)));
}

}  // namespace diffusers
