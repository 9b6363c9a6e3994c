// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "convolution.h"

namespace momap {

/// Correlation of every pixel of a map with every pixel of another, and with means over 2x2, 4x4
/// and 8x8 of them (RAFT's all-pairs volume), kept as 16-bit floats.
class CorrelationVolume {
 public:
#ifdef __FLT16_MAX__
  using Stored = _Float16;
#else
  using Stored = float;
#endif
  static constexpr int kLevels = 4, kRadius = 3, kSide = 2 * kRadius + 1;
  static constexpr int64_t kChannels = kLevels * kSide * kSide;

  /// Scalar products over sqrt(channels). Both maps are of one size.
  CorrelationVolume(const FeatureMap& from, const FeatureMap& to);

  /// Bilinear samples around `coords` ([pixels] of x, y in the second map) on each level, 0
  /// outside; out: kChannels a pixel, level by level, x before y as the published network has it.
  void look_up(const std::vector<std::array<float, 2>>& coords, FeatureMap& out) const;

 private:
  struct Level {
    int64_t height = 0, width = 0;
    std::vector<Stored> data;  // [pixels of the first map][height][width]
  };
  std::array<Level, kLevels> levels_;
};

}  // namespace momap
