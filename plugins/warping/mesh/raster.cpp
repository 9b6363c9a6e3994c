// SPDX-License-Identifier: Apache-2.0
#include "raster.h"

#include <algorithm>

namespace momap::warping {
namespace {

constexpr int64_t kUnit = 256;

/// Twice the signed area of (a, b, point), in exact integers: triangles that share an edge leave no
/// gap.
int64_t area(const MeshVertex& a, const MeshVertex& b, int64_t x, int64_t y) {
  return (int64_t{b.x} - a.x) * (y - a.y) - (int64_t{b.y} - a.y) * (x - a.x);
}

int64_t first_pixel(int64_t place) { return place > 0 ? (place + kUnit - 1) / kUnit : 0; }

}  // namespace

void draw_triangle(const std::array<MeshVertex, 3>& corners, const MeshTarget& target) {
  const auto& [a, b, c] = corners;
  const int64_t whole = area(a, b, c.x, c.y);
  if (whole == 0) return;  // seen edge-on
  const auto [left, right] = std::minmax({a.x, b.x, c.x});
  const auto [top, bottom] = std::minmax({a.y, b.y, c.y});
  if (right < 0 || bottom < 0) return;
  const int64_t u1 = std::min<int64_t>(right / kUnit, target.width - 1);
  const int64_t v1 = std::min<int64_t>(bottom / kUnit, target.height - 1);
  const int64_t sign = whole > 0 ? 1 : -1;
  const float per_area = 1.0f / static_cast<float>(sign * whole);
  const float near_a = 1.0f / a.z, near_b = 1.0f / b.z, near_c = 1.0f / c.z;
  for (int64_t v = first_pixel(top); v <= v1; ++v) {
    for (int64_t u = first_pixel(left); u <= u1; ++u) {
      const int64_t wa = sign * area(b, c, u * kUnit, v * kUnit);
      const int64_t wb = sign * area(c, a, u * kUnit, v * kUnit);
      const int64_t wc = sign * area(a, b, u * kUnit, v * kUnit);
      if (wa < 0 || wb < 0 || wc < 0) continue;
      // Shares of the corners, each over its depth: these change linearly on the image.
      const float ka = static_cast<float>(wa) * per_area * near_a;
      const float kb = static_cast<float>(wb) * per_area * near_b;
      const float kc = static_cast<float>(wc) * per_area * near_c;
      const float z = 1.0f / (ka + kb + kc);
      const int64_t q = v * target.width + u;
      if (!(z < target.depth[q])) continue;
      target.depth[q] = z;
      for (int k = 0; k < 3; ++k) {
        const float level =
            z * (ka * static_cast<float>(a.colour[k]) + kb * static_cast<float>(b.colour[k]) +
                 kc * static_cast<float>(c.colour[k]));
        target.rgb[3 * q + k] = static_cast<uint8_t>(std::min(level + 0.5f, 255.0f));
      }
    }
  }
}

}  // namespace momap::warping
