// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/latent.h>

#include <filesystem>
#include <string>
#include <vector>

namespace momap {

/// What `momap train` keeps of one sample, as one safetensors file: frame 0, and M futures of it as
/// latents with their captions.
struct ExampleFile {
  Clip reference;                     ///< T = 1, without truth
  at::Tensor latents;                 ///< f32 [M, C, h, w], as the encoding made them
  at::Tensor valid;                   ///< f32 [M, h, w], share of the cell's pixels with evidence
  std::vector<std::string> captions;  ///< M
  LatentSpec spec;                    ///< of the sample's size
  int64_t stride = 1;                 ///< pixels a latent cell, along each side
  std::string key;                    ///< what it was made from, as a hash
};

/// Throws ConfigError for a file that cannot be read or is none.
ExampleFile read_example(const std::filesystem::path& path);

/// Written aside and renamed.
void write_example(const std::filesystem::path& path, const ExampleFile& example);

/// The example files of a folder, by name. Throws ConfigError when there is none.
std::vector<std::filesystem::path> example_files(const std::filesystem::path& folder);

}  // namespace momap
