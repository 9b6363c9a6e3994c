// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/backbone.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network.h"

namespace unet {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// A network with what its training fixed.
struct Trained {
  std::shared_ptr<Network> network;
  momap::BackboneSpec spec;
};

/// Reads a checkpoint. Throws ConfigError that lists everything missing, unknown, of another shape
/// or not finite.
Trained load_checkpoint(const std::filesystem::path& path);

/// Writes `parameters` and `spec` as a safetensors file, weights as `storage` (f16 or f32), the
/// rest in its metadata.
void save_checkpoint(const std::filesystem::path& path, const Architecture& architecture,
                     const momap::BackboneSpec& spec, const NamedTensors& parameters,
                     const std::string& storage, const std::string& card);

}  // namespace unet
