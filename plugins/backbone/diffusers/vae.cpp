// SPDX-License-Identifier: Apache-2.0
#include "vae.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/silu.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace diffusers {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr int64_t kMostChannels = 1 << 16;

// Residual blocks of one resolution, and the way to the next.
struct Level {
  std::vector<ResnetBlock> resnets;
  std::optional<Downsample> down;
  std::optional<Upsample> up;
};

struct Middle {
  Middle(Weights& weights, const std::string& name, int64_t channels, int64_t groups)
      : first(weights, name + ".resnets.0", {channels, channels, 0, groups, kEpsilon}),
        attention(weights, name + ".attentions.0", channels, 1, groups, kEpsilon),
        second(weights, name + ".resnets.1", {channels, channels, 0, groups, kEpsilon}) {}

  at::Tensor operator()(const at::Tensor& x) const { return second(attention(first(x, {})), {}); }

  ResnetBlock first;
  PixelAttention attention;
  ResnetBlock second;
};

}  // namespace

VaeConfig read_vae_config(ConfigReader config) {
  VaeConfig out;
  config.only("_class_name", "AutoencoderKL");
  config.only("act_fn", "silu");
  config.only("mid_block_add_attention", true);
  config.only("use_quant_conv", true);
  config.only("use_post_quant_conv", true);
  config.only("shift_factor", nullptr);
  config.only("latents_mean", nullptr);
  config.only("latents_std", nullptr);
  out.channels = config.integers("block_out_channels", 1, kMostChannels);
  const auto blocks = [&](const char* key, const char* type) {
    const std::vector<std::string> types = config.texts(key);
    config.expect(types.size() == out.channels.size() &&
                      std::ranges::all_of(types, [&](const auto& t) { return t == type; }),
                  fmt::format("'{}' is not {} times '{}'", key, out.channels.size(), type));
  };
  blocks("down_block_types", "DownEncoderBlock2D");
  blocks("up_block_types", "UpDecoderBlock2D");
  out.in_channels = config.integer("in_channels", 3, 1, kMostChannels);
  out.out_channels = config.integer("out_channels", 3, 1, kMostChannels);
  out.latent_channels = config.integer("latent_channels", 4, 1, kMostChannels);
  out.layers = config.integer("layers_per_block", 1, 1, 16);
  out.groups = config.integer("norm_num_groups", 32, 1, kMostChannels);
  out.scaling_factor = config.real("scaling_factor", 0.18215, 1e-6, 1e6);
  for (const int64_t c : out.channels) {
    config.expect(c % out.groups == 0,
                  fmt::format("'norm_num_groups' = {} does not divide {} channels", out.groups, c));
  }
  config.throw_if_wrong();
  return out;
}

struct Vae::Layers {
  Layers(const VaeConfig& c, Weights& weights)
      : encoder_in(weights, "encoder.conv_in", c.in_channels, c.channels.front(), 3),
        encoder_levels(make_encoder(c, weights)),
        encoder_middle(weights, "encoder.mid_block", c.channels.back(), c.groups),
        encoder_norm(weights, "encoder.conv_norm_out", c.groups, c.channels.back(), kEpsilon),
        encoder_out(weights, "encoder.conv_out", c.channels.back(), 2 * c.latent_channels, 3),
        quant(weights, "quant_conv", 2 * c.latent_channels, 2 * c.latent_channels, 1),
        post_quant(weights, "post_quant_conv", c.latent_channels, c.latent_channels, 1),
        decoder_in(weights, "decoder.conv_in", c.latent_channels, c.channels.back(), 3),
        decoder_middle(weights, "decoder.mid_block", c.channels.back(), c.groups),
        decoder_levels(make_decoder(c, weights)),
        decoder_norm(weights, "decoder.conv_norm_out", c.groups, c.channels.front(), kEpsilon),
        decoder_out(weights, "decoder.conv_out", c.channels.front(), c.out_channels, 3) {}

  static std::vector<Level> make_encoder(const VaeConfig& c, Weights& weights) {
    std::vector<Level> out(c.channels.size());
    int64_t now = c.channels.front();
    for (size_t i = 0; i < out.size(); ++i) {
      const std::string name = fmt::format("encoder.down_blocks.{}", i);
      for (int64_t j = 0; j < c.layers; ++j) {
        out[i].resnets.emplace_back(weights, fmt::format("{}.resnets.{}", name, j),
                                    ResnetBlock::Shape{now, c.channels[i], 0, c.groups, kEpsilon});
        now = c.channels[i];
      }
      if (i + 1 < out.size()) out[i].down.emplace(weights, name + ".downsamplers.0", now, false);
    }
    return out;
  }

  static std::vector<Level> make_decoder(const VaeConfig& c, Weights& weights) {
    std::vector<Level> out(c.channels.size());
    int64_t now = c.channels.back();
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t channels = c.channels[out.size() - 1 - i];
      const std::string name = fmt::format("decoder.up_blocks.{}", i);
      for (int64_t j = 0; j <= c.layers; ++j) {
        out[i].resnets.emplace_back(weights, fmt::format("{}.resnets.{}", name, j),
                                    ResnetBlock::Shape{now, channels, 0, c.groups, kEpsilon});
        now = channels;
      }
      if (i + 1 < out.size()) out[i].up.emplace(weights, name + ".upsamplers.0", now);
    }
    return out;
  }

  Convolution encoder_in;
  std::vector<Level> encoder_levels;
  Middle encoder_middle;
  GroupNorm encoder_norm;
  Convolution encoder_out, quant, post_quant, decoder_in;
  Middle decoder_middle;
  std::vector<Level> decoder_levels;
  GroupNorm decoder_norm;
  Convolution decoder_out;
};

Vae::Vae(const VaeConfig& config, Weights& weights)
    : config_(config), layers_(std::make_unique<Layers>(config, weights)) {}
Vae::~Vae() = default;
Vae::Vae(Vae&&) noexcept = default;
Vae& Vae::operator=(Vae&&) noexcept = default;

Vae::Moments Vae::encode(const at::Tensor& image, const Observer& observe) const {
  const Layers& l = *layers_;
  const auto told = [&](const std::string& name, const at::Tensor& value) {
    if (observe) observe(name, value);
    return value;
  };
  at::Tensor x = told("encoder.conv_in", l.encoder_in(image));
  for (size_t i = 0; i < l.encoder_levels.size(); ++i) {
    const Level& level = l.encoder_levels[i];
    for (const ResnetBlock& resnet : level.resnets) x = resnet(x, {});
    if (level.down) x = (*level.down)(x);
    told(fmt::format("encoder.down_blocks.{}", i), x);
  }
  x = told("encoder.mid_block", l.encoder_middle(x));
  x = told("encoder.conv_norm_out", l.encoder_norm(x));
  x = told("encoder", l.encoder_out(at::silu(x)));
  x = told("quant_conv", l.quant(x));
  const std::vector<at::Tensor> halves = x.chunk(2, 1);
  return {halves[0], at::clamp(halves[1], -30.0, 20.0)};
}

at::Tensor Vae::decode(const at::Tensor& latent, const Observer& observe) const {
  const Layers& l = *layers_;
  const auto told = [&](const std::string& name, const at::Tensor& value) {
    if (observe) observe(name, value);
    return value;
  };
  at::Tensor x = told("post_quant_conv", l.post_quant(latent));
  x = told("decoder.conv_in", l.decoder_in(x));
  x = told("decoder.mid_block", l.decoder_middle(x));
  for (size_t i = 0; i < l.decoder_levels.size(); ++i) {
    const Level& level = l.decoder_levels[i];
    for (const ResnetBlock& resnet : level.resnets) x = resnet(x, {});
    if (level.up) x = (*level.up)(x, 2 * x.size(2), 2 * x.size(3));
    told(fmt::format("decoder.up_blocks.{}", i), x);
  }
  x = told("decoder.conv_norm_out", l.decoder_norm(x));
  return told("decoder", l.decoder_out(at::silu(x)));
}

}  // namespace diffusers
