// SPDX-License-Identifier: Apache-2.0
#include "clip_text.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <limits>

namespace diffusers {

ClipTextConfig read_clip_text_config(ConfigReader config) {
  constexpr int64_t kMost = 1 << 20;
  ClipTextConfig out;
  out.vocabulary = config.integer("vocab_size", 49408, 1, kMost);
  out.positions = config.integer("max_position_embeddings", 77, 2, kMost);
  out.width = config.integer("hidden_size", 512, 1, kMost);
  out.hidden = config.integer("intermediate_size", 2048, 1, kMost);
  out.layers = config.integer("num_hidden_layers", 12, 1, 1024);
  out.heads = config.integer("num_attention_heads", 8, 1, kMost);
  out.end_token = config.integer("eos_token_id", 49407, 0, kMost);
  out.epsilon = config.real("layer_norm_eps", 1e-5, 1e-12, 1);
  const std::string activation = config.text("hidden_act", "quick_gelu");
  config.expect(activation == "quick_gelu" || activation == "gelu",
                fmt::format("'hidden_act' = '{}'; expected 'quick_gelu' or 'gelu'", activation));
  out.quick_gelu = activation == "quick_gelu";
  config.expect(out.width % out.heads == 0,
                fmt::format("'num_attention_heads' = {} does not divide 'hidden_size' = {}",
                            out.heads, out.width));
  config.throw_if_wrong();
  return out;
}

ClipText::ClipText(const ClipTextConfig& c, Weights& weights) : config_(c) {
  weights.ignore("text_model.embeddings.position_ids");
  tokens_ = weights.take("text_model.embeddings.token_embedding.weight", {c.vocabulary, c.width});
  positions_ =
      weights.take("text_model.embeddings.position_embedding.weight", {c.positions, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string name = fmt::format("text_model.encoder.layers.{}", i);
    const auto linear = [&](const char* part, int64_t in, int64_t out) {
      return Linear(weights, name + part, in, out);
    };
    Layer layer;
    layer.key = linear(".self_attn.k_proj", c.width, c.width);
    layer.value = linear(".self_attn.v_proj", c.width, c.width);
    layer.query = linear(".self_attn.q_proj", c.width, c.width);
    layer.out = linear(".self_attn.out_proj", c.width, c.width);
    layer.norm1 = LayerNorm(weights, name + ".layer_norm1", c.width, c.epsilon);
    layer.up = linear(".mlp.fc1", c.width, c.hidden);
    layer.down = linear(".mlp.fc2", c.hidden, c.width);
    layer.norm2 = LayerNorm(weights, name + ".layer_norm2", c.width, c.epsilon);
    layers_.push_back(std::move(layer));
  }
  norm_ = LayerNorm(weights, "text_model.final_layer_norm", c.width, c.epsilon);
}

ClipText::Output ClipText::forward(const at::Tensor& ids, const at::Tensor& mask) const {
  const int64_t batch = ids.size(0);
  const int64_t length = ids.size(1);
  // A token sees itself and those before it, of them the ones that are not masked.
  constexpr float kNever = std::numeric_limits<float>::lowest();
  at::Tensor hidden = at::full({1, length, length}, kNever, tokens_.options()).triu(1);
  if (mask.defined()) {
    const at::Tensor absent = mask.eq(0).unsqueeze(1);  // [B, 1, L]
    hidden = hidden.expand({batch, -1, -1}).masked_fill(absent, kNever);
  }
  Output out;
  at::Tensor x = at::embedding(tokens_, ids) + positions_.narrow(0, 0, length);
  out.layers.push_back(x);
  for (const Layer& layer : layers_) {
    at::Tensor y = layer.norm1(x);
    x = x + layer.out(attend(layer.query(y), layer.key(y), layer.value(y), config_.heads, hidden));
    y = layer.up(layer.norm2(x));
    x = x + layer.down(config_.quick_gelu ? y * at::sigmoid(y * 1.702) : at::gelu(y));
    out.layers.push_back(x);
  }
  out.last = norm_(x);
  out.penultimate = norm_(out.layers[out.layers.size() - 2]);
  // Configurations from before the end token was known say 2; there it is the largest id.
  constexpr int64_t kUnknownEnd = 2;
  const at::Tensor score = config_.end_token == kUnknownEnd ? ids : ids.eq(config_.end_token);
  const at::Tensor end = score.to(at::kLong).argmax(1);
  std::vector<at::Tensor> pooled;
  for (int64_t b = 0; b < batch; ++b) pooled.push_back(out.last[b][end[b].item<int64_t>()]);
  out.pooled = at::stack(pooled);
  return out;
}

}  // namespace diffusers
