// SPDX-License-Identifier: Apache-2.0
#include "surface.h"

#include <algorithm>
#include <cmath>

namespace momap::warping {

Reference::Reference(const uint8_t* rgb, const float* xyz, const bool* valid, int64_t rows,
                     int64_t columns, float edge_tolerance)
    : height(rows),
      width(columns),
      depth(rows * columns),
      links(rows * columns),
      colour_(rows * columns + 2) {
  for (int64_t i = 0; i < rows * columns; ++i) {
    const uint8_t* c = rgb + 3 * i;
    colour_[i + 1] = c[0] | static_cast<uint32_t>(c[1]) << 8 | static_cast<uint32_t>(c[2]) << 16;
    const float z = xyz[3 * i + 2];
    depth[i] = valid[i] && z > 0 && std::isfinite(z) ? z : 0.0f;
  }
  const auto one_surface = [&](int64_t i, int64_t j) {
    const float a = depth[i], b = depth[j];
    return a > 0 && b > 0 && std::abs(a - b) <= edge_tolerance * std::min(a, b);
  };
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const int64_t i = y * width + x;
      if (x + 1 < width && one_surface(i, i + 1)) links[i] |= kRight;
      if (y + 1 < height && one_surface(i, i + width)) links[i] |= kDown;
    }
  }
}

}  // namespace momap::warping
