// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace momap::warping {

/// A corner of a triangle on the image.
struct MeshVertex {
  int32_t x, y;           // 1/256 px
  float z;                // metres, > 0
  const uint8_t* colour;  // [3]
};

/// The buffers of one frame, [H, W]; depth is the z-buffer, infinity where nothing is drawn.
struct MeshTarget {
  int64_t height, width;
  uint8_t* rgb;
  float* depth;
};

/// Draws the pixel centres in a triangle, its border included, whichever way round it is seen.
/// Colours and depth are interpolated along the surface (perspective-correct). The nearest wins; at
/// equal depth the first.
void draw_triangle(const std::array<MeshVertex, 3>& corners, const MeshTarget& target);

}  // namespace momap::warping
