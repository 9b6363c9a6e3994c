// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <momap/base/random.h>
#include <momap/data/tensor_file.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "folder.h"

// Tiny models with random weights, made by the tests themselves.

namespace diffusers::testing {

using nlohmann::json;

/// A text-to-image U-Net of two levels.
inline json small_unet_config() {
  return {{"_class_name", "UNet2DConditionModel"},
          {"block_out_channels", {8, 16}},
          {"down_block_types", {"CrossAttnDownBlock2D", "DownBlock2D"}},
          {"up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D"}},
          {"layers_per_block", 1},
          {"norm_num_groups", 4},
          {"cross_attention_dim", 6},
          {"attention_head_dim", 2}};
}

inline at::Tensor normal(const std::vector<int64_t>& shape, uint64_t seed) {
  at::Tensor out = at::empty(shape, at::kFloat);
  momap::Random(seed).fill_normal({out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

/// Random tensors for all that `Network` asks for.
template <class Network, class Config>
momap::TensorFile small_tensors(Config (*read)(ConfigReader), const json& config) {
  Weights shapes = Weights::shapes_only();
  const Network network(read(ConfigReader("test", config)), shapes);
  momap::TensorFile out;
  uint64_t seed = 0;
  for (const auto& [name, shape] : shapes.shapes()) out.tensors[name] = normal(shape, ++seed) * 0.2;
  return out;
}

template <class Network, class Config>
void write_network(const std::filesystem::path& folder, const char* stem,
                   Config (*read)(ConfigReader), const json& config) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config;
  momap::write_safetensors(folder / (std::string(stem) + ".safetensors"),
                           small_tensors<Network>(read, config));
}

/// The letters of all bytes as byte-level vocabularies write them, in byte order.
inline std::vector<std::string> byte_letters() {
  std::vector<std::string> out;
  int next = 256;
  for (int b = 0; b < 256; ++b) {
    const bool visible = (b > 32 && b < 127) || (b > 160 && b != 173);
    const int code = visible ? b : next++;
    out.push_back(code < 128 ? std::string(1, static_cast<char>(code))
                             : std::string{static_cast<char>(0xC0 | (code >> 6)),
                                           static_cast<char>(0x80 | (code & 63))});
  }
  return out;
}

/// A vocabulary of all bytes and what merges make; ids in this order.
inline json small_vocabulary(const std::vector<std::string>& merged) {
  json out = json::object();
  const auto add = [&](const std::string& piece) {
    const size_t id = out.size();
    out[piece] = id;
  };
  for (const char* end : {"", "</w>"}) {
    for (const std::string& letter : byte_letters()) add(letter + end);
  }
  for (const std::string& piece : merged) add(piece);
  add("<|startoftext|>");
  add("<|endoftext|>");
  return out;
}

/// A whole model: unet, vae (factor 2), text_encoder, tokenizer and scheduler.
inline void write_small_model(const std::filesystem::path& folder) {
  write_network<UNet>(folder / "unet", "diffusion_pytorch_model", read_unet_config,
                      small_unet_config());
  write_network<Vae>(folder / "vae", "diffusion_pytorch_model", read_vae_config,
                     {{"block_out_channels", {4, 8}},
                      {"down_block_types", {"DownEncoderBlock2D", "DownEncoderBlock2D"}},
                      {"up_block_types", {"UpDecoderBlock2D", "UpDecoderBlock2D"}},
                      {"norm_num_groups", 2}});
  const json vocabulary = small_vocabulary({"ab", "ab</w>"});
  write_network<ClipText>(folder / "text_encoder", "model", read_clip_text_config,
                          {{"vocab_size", vocabulary.size()},
                           {"hidden_size", 6},
                           {"intermediate_size", 12},
                           {"num_hidden_layers", 2},
                           {"num_attention_heads", 2}});
  std::filesystem::create_directories(folder / "tokenizer");
  std::ofstream(folder / "tokenizer/vocab.json") << vocabulary;
  std::ofstream(folder / "tokenizer/merges.txt") << "a b\na b</w>\n";
  std::filesystem::create_directories(folder / "scheduler");
  std::ofstream(folder / "scheduler/scheduler_config.json")
      << R"({"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
            "prediction_type": "v_prediction"})";
}

}  // namespace diffusers::testing
