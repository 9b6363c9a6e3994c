// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace momap {

/// What an encoding needs to know to read a latent back.
struct LatentSpec {
  std::string encoding;       ///< plugin id, "encoding/dct"
  uint32_t version = 0;       ///< plugin version
  std::string normalization;  ///< the encoding's own words for its parameters; must match to decode
  int64_t frames = 0;         ///< T of the motion map
  int64_t height = 0;         ///< H of the motion map, px
  int64_t width = 0;          ///< W of the motion map, px

  bool operator==(const LatentSpec&) const = default;
};

/// K latents of one scene.
struct Latent {
  at::Tensor values;  // f32 [K, C, h, w]
  LatentSpec spec;
};

}  // namespace momap
