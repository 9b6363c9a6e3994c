// SPDX-License-Identifier: Apache-2.0
#include "unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>
#include <fmt/format.h>

#include <optional>

namespace diffusers {
namespace {

// Attention of either kind of network.
struct Attention {
  std::optional<PixelTransformer> to_text;
  std::optional<PixelAttention> to_pixels;

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& text) const {
    return to_text ? (*to_text)(x, text) : (*to_pixels)(x);
  }
};

Attention make_attention(Weights& weights, const std::string& name, const UNetConfig& c,
                         const UNetConfig::Level& level) {
  Attention out;
  if (c.reads_text) {
    out.to_text.emplace(weights, name,
                        PixelTransformer::Shape{level.channels, level.heads, c.text_width, c.groups,
                                                c.depth, c.linear_projection});
  } else {
    out.to_pixels.emplace(weights, name, level.channels, level.heads, c.groups, c.epsilon);
  }
  return out;
}

struct Block {
  std::vector<ResnetBlock> resnets;
  std::vector<Attention> attentions;  // as many, or none
  std::optional<Downsample> down;
  std::optional<Upsample> up;
};

}  // namespace

struct UNet::Layers {
  Layers(const UNetConfig& config, Weights& weights);

  Convolution conv_in;
  TimeEmbedding time;
  std::vector<Block> down;
  std::vector<ResnetBlock> middle_resnets;
  std::optional<Attention> middle_attention;
  std::vector<Block> up;
  GroupNorm norm_out;
  Convolution conv_out;
};

UNet::Layers::Layers(const UNetConfig& c, Weights& weights)
    : conv_in(weights, "conv_in", c.in_channels, c.levels[0].channels, 3),
      time(weights, c.levels[0].channels, 4 * c.levels[0].channels) {
  const int64_t time_width = 4 * c.levels[0].channels;
  const auto resnet = [&](const std::string& name, int64_t in, int64_t out) {
    return ResnetBlock(weights, name, {in, out, time_width, c.groups, c.epsilon});
  };
  const size_t levels = c.levels.size();
  int64_t now = c.levels[0].channels;
  std::vector<int64_t> skips{now};  // channels handed across
  for (size_t i = 0; i < levels; ++i) {
    const UNetConfig::Level& level = c.levels[i];
    const std::string name = fmt::format("down_blocks.{}", i);
    Block block;
    for (int64_t j = 0; j < c.layers; ++j) {
      block.resnets.push_back(resnet(fmt::format("{}.resnets.{}", name, j), now, level.channels));
      now = level.channels;
      skips.push_back(now);
      if (level.attention_down) {
        block.attentions.push_back(
            make_attention(weights, fmt::format("{}.attentions.{}", name, j), c, level));
      }
    }
    if (i + 1 < levels) {
      block.down.emplace(weights, name + ".downsamplers.0", now, c.symmetric_downsample);
      skips.push_back(now);
    }
    down.push_back(std::move(block));
  }
  middle_resnets.push_back(resnet("mid_block.resnets.0", now, now));
  if (c.attention_middle) {
    middle_attention = make_attention(weights, "mid_block.attentions.0", c, c.levels.back());
  }
  middle_resnets.push_back(resnet("mid_block.resnets.1", now, now));
  for (size_t i = 0; i < levels; ++i) {
    const UNetConfig::Level& level = c.levels[levels - 1 - i];
    const std::string name = fmt::format("up_blocks.{}", i);
    Block block;
    for (int64_t j = 0; j <= c.layers; ++j) {
      block.resnets.push_back(
          resnet(fmt::format("{}.resnets.{}", name, j), now + skips.back(), level.channels));
      skips.pop_back();
      now = level.channels;
      if (level.attention_up) {
        block.attentions.push_back(
            make_attention(weights, fmt::format("{}.attentions.{}", name, j), c, level));
      }
    }
    if (i + 1 < levels) block.up.emplace(weights, name + ".upsamplers.0", now);
    up.push_back(std::move(block));
  }
  norm_out = GroupNorm(weights, "conv_norm_out", c.groups, now, c.epsilon);
  conv_out = Convolution(weights, "conv_out", now, c.out_channels, 3);
}

UNet::UNet(const UNetConfig& config, Weights& weights)
    : config_(config), layers_(std::make_unique<Layers>(config, weights)) {}
UNet::~UNet() = default;
UNet::UNet(UNet&&) noexcept = default;
UNet& UNet::operator=(UNet&&) noexcept = default;

at::Tensor UNet::sinusoid(const at::Tensor& time) const {
  return timestep_sinusoid(time, config_.levels[0].channels, config_.cosine_first,
                           config_.frequency_shift);
}

at::Tensor UNet::forward(const at::Tensor& sample, const at::Tensor& sinusoid,
                         const at::Tensor& text, const Observer& observe) const {
  const Layers& l = *layers_;
  const auto tell = [&](const std::string& name, const at::Tensor& value) {
    if (observe) observe(name, value);
  };
  at::Tensor time = l.time(sinusoid.to(sample.scalar_type()));
  tell("time_embedding", time);
  time = at::silu(time);

  at::Tensor x = l.conv_in(config_.center_input ? sample * 2 - 1 : sample);
  tell("conv_in", x);
  std::vector<at::Tensor> skips{x};
  for (size_t i = 0; i < l.down.size(); ++i) {
    const Block& block = l.down[i];
    for (size_t j = 0; j < block.resnets.size(); ++j) {
      x = block.resnets[j](x, time);
      if (!block.attentions.empty()) x = block.attentions[j](x, text);
      skips.push_back(x);
    }
    if (block.down) {
      x = (*block.down)(x);
      skips.push_back(x);
    }
    tell(fmt::format("down_blocks.{}", i), x);
  }
  x = l.middle_resnets[0](x, time);
  if (l.middle_attention) x = (*l.middle_attention)(x, text);
  x = l.middle_resnets[1](x, time);
  tell("mid_block", x);
  for (size_t i = 0; i < l.up.size(); ++i) {
    const Block& block = l.up[i];
    for (size_t j = 0; j < block.resnets.size(); ++j) {
      x = block.resnets[j](at::cat({x, skips.back()}, 1), time);
      skips.pop_back();
      if (!block.attentions.empty()) x = block.attentions[j](x, text);
    }
    // To the size of what comes next from the way down, which need not be twice this one's.
    if (block.up) x = (*block.up)(x, skips.back().size(2), skips.back().size(3));
    tell(fmt::format("up_blocks.{}", i), x);
  }
  x = l.norm_out(x);
  tell("conv_norm_out", x);
  return l.conv_out(at::silu(x));
}

}  // namespace diffusers
