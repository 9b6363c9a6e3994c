// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/backbone.h>
#include <momap/stage/noise_schedule.h>

#include <filesystem>
#include <map>
#include <string>

#include "clip_text.h"
#include "unet.h"
#include "vae.h"

// A folder as the diffusers library writes it: one sub-folder a network, each with a config.json
// and safetensors. All throw ConfigError.

namespace diffusers {

/// A network with its tensors by name, which it shares.
template <class Network>
struct Loaded {
  Network network;
  NamedTensors parameters;
};

/// The tensors of <folder>/<stem>.safetensors, of <stem>.fp16.safetensors, or of the shards that
/// <stem>.safetensors.index.json lists.
std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& folder,
                                               const std::string& stem);

/// Each reads one network's folder ("unet", "vae", "text_encoder"); `type` is float32 or float64,
/// whatever the files hold.
Loaded<UNet> load_unet(const std::filesystem::path& folder, at::ScalarType type = at::kFloat);
Loaded<Vae> load_vae(const std::filesystem::path& folder, at::ScalarType type = at::kFloat);
Loaded<ClipText> load_clip_text(const std::filesystem::path& folder,
                                at::ScalarType type = at::kFloat);

/// What a network was trained on, of a "scheduler" folder.
struct Training {
  momap::NoiseSchedule schedule;
  momap::Prediction prediction;
};
Training read_scheduler(const std::filesystem::path& folder);

}  // namespace diffusers
