// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "config.h"

namespace diffusers {

/// All that decides the layers of a U-Net: UNet2DConditionModel (attention to text) or UNet2DModel
/// (without text).
struct UNetConfig {
  struct Level {
    int64_t channels;
    int64_t heads;
    bool attention_down;
    bool attention_up;
  };

  bool reads_text = true;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  std::vector<Level> levels;  ///< from full resolution down
  bool attention_middle = true;
  int64_t layers = 0;  ///< residual blocks a level on the way down; one more on the way up
  int64_t groups = 0;
  double epsilon = 0;      ///< of the residual blocks' norms
  int64_t text_width = 0;  ///< of the text encoder
  int64_t depth = 1;       ///< transformer blocks in each attention
  bool linear_projection = false;
  bool cosine_first = true;  ///< order within the timestep's sinusoid
  double frequency_shift = 0;
  bool symmetric_downsample = true;
  bool center_input = false;  ///< 2 x - 1 first
};

/// Throws ConfigError with everything in it that is wrong or not built here.
UNetConfig read_unet_config(ConfigReader config);

}  // namespace diffusers
