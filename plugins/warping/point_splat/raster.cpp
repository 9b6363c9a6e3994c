// SPDX-License-Identifier: Apache-2.0
#include "raster.h"

#include <algorithm>
#include <cmath>

namespace momap::point_splat {
namespace {

// A pixel centre this near to an edge, px, counts as inside: neighbours that share the edge leave
// no gap by rounding.
constexpr float kEdgeSlack = 1e-3f;

float cross(const Vertex& from, const Vertex& to, float x, float y) {
  return (to.x - from.x) * (y - from.y) - (to.y - from.y) * (x - from.x);
}

/// All of the same sign, whichever way round the triangle is seen.
bool same_side(float a, float b, float c) {
  return (a >= -kEdgeSlack && b >= -kEdgeSlack && c >= -kEdgeSlack) ||
         (a <= kEdgeSlack && b <= kEdgeSlack && c <= kEdgeSlack);
}

bool inside(const Quad& quad, float x, float y) {
  const float diagonal = cross(quad[0], quad[2], x, y);
  return same_side(cross(quad[0], quad[1], x, y), cross(quad[1], quad[2], x, y), -diagonal) ||
         same_side(diagonal, cross(quad[2], quad[3], x, y), cross(quad[3], quad[0], x, y));
}

/// The footprint as an affine image of the source pixel: position, in source pixels from its
/// centre, of an image point.
struct Pullback {
  Pullback(const Vertex& centre, const Quad& quad) : centre_(centre) {
    along_x_ = 0.5f * ((quad[1] + quad[2]) - (quad[0] + quad[3]));
    along_y_ = 0.5f * ((quad[2] + quad[3]) - (quad[0] + quad[1]));
    const float area = along_x_.x * along_y_.y - along_x_.y * along_y_.x;
    per_area_ =
        std::abs(area) > 1e-6f ? 1.0f / area : 0.0f;  // seen edge-on: the centre stands for all
  }

  void at(float x, float y, float& right, float& down) const {
    const float dx = x - centre_.x, dy = y - centre_.y;
    right = std::clamp((dx * along_y_.y - dy * along_y_.x) * per_area_, -0.5f, 0.5f);
    down = std::clamp((dy * along_x_.x - dx * along_x_.y) * per_area_, -0.5f, 0.5f);
  }

  float depth(float right, float down) const {
    return centre_.z + right * along_x_.z + down * along_y_.z;
  }

 private:
  Vertex centre_, along_x_{}, along_y_{};
  float per_area_;
};

/// The colour at (right, down) in [-1/2, 1/2] source pixels from the centre of pixel (y, x).
void sample(const ProjectedSurface& surface, const uint8_t* image, int64_t width, int64_t y,
            int64_t x, float right, float down, uint8_t* out) {
  const uint8_t* here = image + 3 * (y * width + x);
  constexpr float kOwnColour = 1.0f / 1024;  // less than a quarter of an 8-bit level
  if (std::abs(right) < kOwnColour && std::abs(down) < kOwnColour) {
    std::copy_n(here, 3, out);
    return;
  }
  const int dx = right < 0 ? -1 : 1, dy = down < 0 ? -1 : 1;
  const float wx = std::abs(right), wy = std::abs(down);
  const bool has_h = surface.linked(y, x, 0, dx), has_v = surface.linked(y, x, dy, 0);
  const bool has_d =
      (has_h && surface.linked(y, x + dx, dy, 0)) || (has_v && surface.linked(y + dy, x, 0, dx));
  const uint8_t* h = has_h ? here + 3 * dx : here;
  const uint8_t* v = has_v ? here + 3 * dy * width : here;
  const uint8_t* d = has_d ? here + 3 * (dy * width + dx) : has_h ? h : v;
  const float w_here = (1 - wx) * (1 - wy), w_h = wx * (1 - wy), w_v = (1 - wx) * wy, w_d = wx * wy;
  for (int c = 0; c < 3; ++c) {
    const float value = w_here * here[c] + w_h * h[c] + w_v * v[c] + w_d * d[c];
    out[c] = static_cast<uint8_t>(value + 0.5f);
  }
}

}  // namespace

int64_t draw(const ProjectedSurface& surface, const uint8_t* image, int64_t height, int64_t width,
             Canvas canvas) {
  int64_t outside = 0;
  const float last_x = static_cast<float>(width - 1), last_y = static_cast<float>(height - 1);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      if (!surface.drawable(y * width + x)) continue;
      const Quad quad = surface.footprint(y, x);
      const float left = std::min(std::min(quad[0].x, quad[1].x), std::min(quad[2].x, quad[3].x));
      const float right = std::max(std::max(quad[0].x, quad[1].x), std::max(quad[2].x, quad[3].x));
      const float top = std::min(std::min(quad[0].y, quad[1].y), std::min(quad[2].y, quad[3].y));
      const float bottom = std::max(std::max(quad[0].y, quad[1].y), std::max(quad[2].y, quad[3].y));
      if (right < -kEdgeSlack || left > last_x + kEdgeSlack || bottom < -kEdgeSlack ||
          top > last_y + kEdgeSlack) {
        ++outside;
        continue;
      }
      const auto u0 = static_cast<int64_t>(std::ceil(std::max(left - kEdgeSlack, 0.0f)));
      const auto u1 = static_cast<int64_t>(std::floor(std::min(right + kEdgeSlack, last_x)));
      const auto v0 = static_cast<int64_t>(std::ceil(std::max(top - kEdgeSlack, 0.0f)));
      const auto v1 = static_cast<int64_t>(std::floor(std::min(bottom + kEdgeSlack, last_y)));
      if (u0 > u1 || v0 > v1) continue;  // between pixel centres

      const Pullback pullback(surface.point(y * width + x), quad);
      for (int64_t v = v0; v <= v1; ++v) {
        for (int64_t u = u0; u <= u1; ++u) {
          const auto qx = static_cast<float>(u), qy = static_cast<float>(v);
          if (!inside(quad, qx, qy)) continue;
          float to_right, down;
          pullback.at(qx, qy, to_right, down);
          const float depth = pullback.depth(to_right, down);
          const int64_t pixel = v * width + u;
          if (canvas.covered[pixel] && depth >= canvas.depth[pixel]) continue;
          canvas.covered[pixel] = true;
          canvas.depth[pixel] = depth;
          sample(surface, image, width, y, x, to_right, down, canvas.rgb + 3 * pixel);
        }
      }
    }
  }
  return outside;
}

}  // namespace momap::point_splat
