// SPDX-License-Identifier: Apache-2.0
#include "surface.h"

#include <algorithm>
#include <cmath>

namespace momap::warping {

Reference::Reference(const uint8_t* rgb, const float* xyz, const bool* valid, const Camera& camera,
                     float edge_tolerance)
    : height(camera.height),
      width(camera.width),
      depth(height * width),
      strays(height * width),
      links(height * width),
      colour_(height * width + 2) {
  // Nearer than this to a pixel's centre, px, a point is snapped to it.
  constexpr double kInPlace = 0.4 / 256;
  for (int64_t i = 0; i < height * width; ++i) {
    const uint8_t* c = rgb + 3 * i;
    colour_[i + 1] = c[0] | static_cast<uint32_t>(c[1]) << 8 | static_cast<uint32_t>(c[2]) << 16;
    const float* p = xyz + 3 * i;
    depth[i] = valid[i] && p[2] > 0 && std::isfinite(p[2]) ? p[2] : 0.0f;
    const int64_t row = i / width, column = i % width;
    const double u = camera.fx * p[0] / p[2] + camera.cx - static_cast<double>(column);
    const double v = camera.fy * p[1] / p[2] + camera.cy - static_cast<double>(row);
    const bool in_place = depth[i] > 0 && std::abs(u) < kInPlace && std::abs(v) < kInPlace;
    strays[i] = valid[i] && !in_place;
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
