// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/backbone.h>

#include <filesystem>
#include <string>

#include "folder.h"

namespace sd_unet {

/// A Stable Diffusion U-Net whose first and last convolution fit motion-map latents.
struct Adapted {
  diffusers::Loaded<diffusers::UNet> unet;
  nlohmann::json config;     ///< of the adapted network, as its config.json
  momap::BackboneSpec spec;  ///< without prediction and schedule, which the model folder has
};

/// `kernels` [out, in, k, k] for `channels` inputs: input j gets the kernel of input j mod in,
/// divided by how many get the same, so that an input repeated in this way gives what it gave
/// before (as Marigold does, Ke et al. 2024).
at::Tensor widened_inputs(const at::Tensor& kernels, int64_t channels);

/// A weight or bias [out, ...] for `channels` outputs: output j is a copy of output j mod out.
at::Tensor widened_outputs(const at::Tensor& values, int64_t channels);

/// The U-Net of a folder, widened to `in` and `out` channels. Throws ConfigError.
Adapted adapt(const std::filesystem::path& unet_folder, int64_t in, int64_t out);

/// Reads what `save_adapted` wrote. Throws ConfigError with everything that is wrong.
Adapted load_adapted(const std::filesystem::path& file);

/// Writes a safetensors file with the names the diffusers library uses and, in its metadata, what
/// the weights mean; and `<stem>.config.json` beside it. `storage`: f16 or f32.
void save_adapted(const std::filesystem::path& file, const Adapted& adapted,
                  const diffusers::NamedTensors& parameters, const std::string& storage,
                  const std::string& card);

}  // namespace sd_unet
