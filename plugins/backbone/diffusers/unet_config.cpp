// SPDX-License-Identifier: Apache-2.0
#include "unet_config.h"

#include <fmt/format.h>

#include <algorithm>

namespace diffusers {
namespace {

constexpr int64_t kMostChannels = 1 << 16;

const char* const kConditionClass = "UNet2DConditionModel";
const char* const kPlainClass = "UNet2DModel";

// Whether each block has attention, by its type's name.
std::vector<bool> attention_of(ConfigReader& config, const char* key, size_t levels,
                               const std::string& with, const std::string& without) {
  const std::vector<std::string> types = config.texts(key);
  std::vector<bool> out;
  for (const std::string& type : types) {
    config.expect(type == with || type == without,
                  fmt::format("'{}' has '{}'; expected '{}' or '{}'", key, type, with, without));
    out.push_back(type == with);
  }
  config.expect(out.size() == levels,
                fmt::format("'{}' has {} entries, 'block_out_channels' has {}; expected as many",
                            key, out.size(), levels));
  out.resize(levels);
  return out;
}

// Options of the library that no Stable Diffusion 1.x or 2.x network uses.
void refuse_other_options(ConfigReader& config, bool reads_text) {
  config.only("act_fn", "silu");
  config.only("resnet_time_scale_shift", "default");
  config.only("time_embedding_type", "positional");
  config.only("mid_block_scale_factor", 1);
  config.only("class_embed_type", nullptr);
  config.only("num_class_embeds", nullptr);
  config.only("time_embedding_dim", nullptr);
  config.only("dropout", 0.0);
  if (reads_text) {
    config.only("mid_block_type", "UNetMidBlock2DCrossAttn");
    for (const char* key :
         {"addition_embed_type", "encoder_hid_dim", "encoder_hid_dim_type", "time_cond_proj_dim",
          "time_embedding_act_fn", "timestep_post_act", "cross_attention_norm",
          "projection_class_embeddings_input_dim", "reverse_transformer_layers_per_block"}) {
      config.only(key, nullptr);
    }
    for (const char* key :
         {"only_cross_attention", "dual_cross_attention", "class_embeddings_concat",
          "resnet_skip_time_act", "mid_block_only_cross_attention"}) {
      config.only(key, false);
    }
    config.only("attention_type", "default");
    config.only("conv_in_kernel", 3);
    config.only("conv_out_kernel", 3);
    config.only("resnet_out_scale_factor", 1.0);
  } else {
    config.only("mid_block_type", "UNetMidBlock2D");
    config.only("downsample_type", "conv");
    config.only("upsample_type", "conv");
    config.only("attn_norm_num_groups", nullptr);
    config.only("num_train_timesteps", nullptr);
  }
}

// The same key means the number of heads with text, and the width of a head without.
std::vector<int64_t> heads_of(ConfigReader& config, bool reads_text,
                              const std::vector<int64_t>& channels) {
  std::vector<int64_t> heads(channels.size(), 1);
  const char* key =
      !config.is_null("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
  if (!reads_text) {
    const bool one_head = config.values().contains(key) && config.is_null(key);
    const int64_t width = config.integer(key, 8, 1, kMostChannels);
    for (size_t i = 0; i < heads.size(); ++i) {
      heads[i] = one_head ? 1 : std::max<int64_t>(1, channels[i] / width);
      config.expect(one_head || channels[i] % width == 0,
                    fmt::format("'{}' = {} does not divide {} channels", key, width, channels[i]));
    }
    return heads;
  }
  if (config.is_list(key)) {
    const std::vector<int64_t> listed = config.integers(key, 1, kMostChannels);
    config.expect(listed.size() == heads.size(), fmt::format("'{}' has {} entries; expected {}",
                                                             key, listed.size(), heads.size()));
    for (size_t i = 0; i < std::min(heads.size(), listed.size()); ++i) heads[i] = listed[i];
  } else {
    std::ranges::fill(heads, config.integer(key, 8, 1, kMostChannels));
  }
  for (size_t i = 0; i < heads.size(); ++i) {
    config.expect(channels[i] % heads[i] == 0,
                  fmt::format("{} heads do not divide {} channels", heads[i], channels[i]));
  }
  return heads;
}

}  // namespace

UNetConfig read_unet_config(ConfigReader config) {
  UNetConfig out;
  const std::string kind = config.text("_class_name", kConditionClass);
  config.expect(kind == kConditionClass || kind == kPlainClass,
                fmt::format("'_class_name' = '{}'; expected '{}' or '{}'", kind, kConditionClass,
                            kPlainClass));
  out.reads_text = kind != kPlainClass;
  refuse_other_options(config, out.reads_text);

  const std::vector<int64_t> channels = config.integers("block_out_channels", 1, kMostChannels);
  const std::vector<int64_t> heads = heads_of(config, out.reads_text, channels);
  const std::string attention = out.reads_text ? "CrossAttn" : "Attn";
  const auto down = attention_of(config, "down_block_types", channels.size(),
                                 attention + "DownBlock2D", "DownBlock2D");
  const auto up =
      attention_of(config, "up_block_types", channels.size(), attention + "UpBlock2D", "UpBlock2D");
  for (size_t i = 0; i < channels.size(); ++i) {
    out.levels.push_back({channels[i], heads[i], down[i], up[channels.size() - 1 - i]});
  }
  out.in_channels = config.integer("in_channels", out.reads_text ? 4 : 3, 1, kMostChannels);
  out.out_channels = config.integer("out_channels", out.reads_text ? 4 : 3, 1, kMostChannels);
  out.layers = config.integer("layers_per_block", 2, 1, 16);
  out.groups = config.integer("norm_num_groups", 32, 1, kMostChannels);
  out.epsilon = config.real("norm_eps", 1e-5, 1e-12, 1);
  out.cosine_first = config.flag("flip_sin_to_cos", true);
  out.frequency_shift = config.real("freq_shift", 0, 0, 1);
  out.symmetric_downsample = config.integer("downsample_padding", 1, 0, 1) == 1;
  out.center_input = config.flag("center_input_sample", false);
  if (out.reads_text) {
    out.text_width = config.integer("cross_attention_dim", 1280, 1, kMostChannels);
    out.depth = config.integer("transformer_layers_per_block", 1, 1, 64);
    out.linear_projection = config.flag("use_linear_projection", false);
  } else {
    out.attention_middle = config.flag("add_attention", true);
  }
  for (const int64_t c : channels) {
    config.expect(c % out.groups == 0,
                  fmt::format("'norm_num_groups' = {} does not divide {} channels", out.groups, c));
  }
  config.throw_if_wrong();
  return out;
}

}  // namespace diffusers
