// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "surface.h"

namespace momap::point_splat {

/// What is drawn of one frame. Buffers are the caller's.
struct Canvas {
  uint8_t* rgb;   // [H, W, 3]
  bool* covered;  // [H, W]
  float* depth;   // [H, W], metres
};

/// Draws the footprints of a surface into an empty canvas (all zero). The nearest wins; at equal
/// depth the source pixel that comes first in raster order.
///
/// A pixel takes the colour of the reference image at its own place inside the footprint
/// (bilinear), where colours of another surface are left out. So a map at rest gives the image back
/// bit for bit.
///
/// Returns the number of drawable points whose footprint lies outside the image.
int64_t draw(const ProjectedSurface& surface, const uint8_t* image, int64_t height, int64_t width,
             Canvas canvas);

}  // namespace momap::point_splat
