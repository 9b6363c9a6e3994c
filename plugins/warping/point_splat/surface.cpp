// SPDX-License-Identifier: Apache-2.0
#include "surface.h"

#include <algorithm>
#include <cmath>

namespace momap::point_splat {
namespace {

bool near_in_depth(float a, float b, float tolerance) {
  return std::abs(a - b) <= tolerance * std::min(a, b);
}

/// Calls `join(pixel, neighbour, bit)` for every pair of direct neighbours.
template <class Join>
void for_each_pair(int64_t height, int64_t width, Join&& join) {
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const int64_t i = y * width + x;
      if (x + 1 < width) join(i, i + 1, kRight);
      if (y + 1 < height) join(i, i + width, kDown);
    }
  }
}

}  // namespace

ReferenceGrid::ReferenceGrid(const float* xyz, const bool* is_valid, int64_t rows, int64_t columns,
                             const Limits& limits)
    : height(rows), width(columns), valid(is_valid), depth(rows * columns), links(rows * columns) {
  for (int64_t i = 0; i < rows * columns; ++i) {
    const float z = xyz[3 * i + 2];
    depth[i] = valid[i] && z > 0 && std::isfinite(z) ? z : 0.0f;
  }
  for_each_pair(height, width, [&](int64_t i, int64_t j, uint8_t bit) {
    const bool known = depth[i] > 0 && depth[j] > 0;
    if (known && near_in_depth(depth[i], depth[j], limits.edge_tolerance)) links[i] |= bit;
  });
}

ProjectedSurface::ProjectedSurface(const float* xyz, const bool* visible,
                                   const ReferenceGrid& reference, const Camera& camera,
                                   const Limits& limits)
    : reference_(reference),
      height_(reference.height),
      width_(reference.width),
      max_half_px_(0.5f * limits.max_footprint_px),
      points_(height_ * width_, Vertex{0, 0, 0}) {
  // No footprint of a point beyond this margin reaches the image, nor does that of its neighbours.
  const double margin = 2.0 * limits.max_footprint_px + 1.0;
  const double right = static_cast<double>(width_) - 1 + margin;
  const double bottom = static_cast<double>(height_) - 1 + margin;
  for (int64_t i = 0; i < height_ * width_; ++i) {
    if (!reference.valid[i] || (visible && !visible[i])) continue;
    const double z = xyz[3 * i + 2];
    const double u = camera.fx * xyz[3 * i] / z + camera.cx;
    const double v = camera.fy * xyz[3 * i + 1] / z + camera.cy;
    // Written so that NaN fails.
    const bool near_image = u >= -margin && u <= right && v >= -margin && v <= bottom;
    if (z > 0 && std::isfinite(z) && near_image) {
      points_[i] = {static_cast<float>(u), static_cast<float>(v), static_cast<float>(z)};
    } else {
      ++dropped_;
    }
  }
  link(limits);
}

void ProjectedSurface::link(const Limits& limits) {
  links_.assign(height_ * width_, 0);
  for_each_pair(height_, width_, [&](int64_t i, int64_t j, uint8_t bit) {
    if (!(reference_.links[i] & bit) || !drawable(i) || !drawable(j)) return;
    const Vertex step = points_[j] - points_[i];
    if (near_in_depth(points_[i].z, points_[j].z, limits.edge_tolerance) &&
        std::max(std::abs(step.x), std::abs(step.y)) <= limits.max_footprint_px) {
      links_[i] |= bit;
    }
  });
}

Vertex ProjectedSurface::half_step(int64_t y, int64_t x, int dy, int dx) const {
  const Vertex& here = at(y, x);
  if (linked(y, x, dy, dx)) return 0.5f * (at(y + dy, x + dx) - here);
  if (linked(y, x, -dy, -dx)) return 0.5f * (here - at(y - dy, x - dx));
  const float before = reference_.depth[y * width_ + x];
  const float half = before > 0 ? std::min(0.5f * before / here.z, max_half_px_) : 0.5f;
  return {half * static_cast<float>(dx), half * static_cast<float>(dy), 0};
}

Vertex ProjectedSurface::corner(int64_t y, int64_t x, int dy, int dx) const {
  // The four pixels around the corner: this one, its row neighbour h, its column neighbour v, the
  // diagonal one d.
  const Vertex& here = at(y, x);
  bool with_h = linked(y, x, 0, dx);
  bool with_v = linked(y, x, dy, 0);
  const bool h_in = x + dx >= 0 && x + dx < width_;
  const bool v_in = y + dy >= 0 && y + dy < height_;
  const bool h_to_d = h_in && linked(y, x + dx, dy, 0);
  const bool v_to_d = v_in && linked(y + dy, x, 0, dx);
  const bool with_d = (with_h && h_to_d) || (with_v && v_to_d);
  with_h = with_h || (with_d && h_to_d);
  with_v = with_v || (with_d && v_to_d);

  if (with_h && with_v && with_d) {
    return 0.25f * ((here + at(y + dy, x + dx)) + (at(y, x + dx) + at(y + dy, x)));
  }
  if (with_h && with_v) return 0.5f * (at(y, x + dx) + at(y + dy, x));
  if (with_h && with_d) return 0.5f * (here + at(y + dy, x + dx));
  if (with_v && with_d) return 0.5f * (here + at(y + dy, x + dx));
  if (with_h) {
    return 0.5f * ((here + at(y, x + dx)) + (half_step(y, x, dy, 0) + half_step(y, x + dx, dy, 0)));
  }
  if (with_v) {
    return 0.5f * ((here + at(y + dy, x)) + (half_step(y, x, 0, dx) + half_step(y + dy, x, 0, dx)));
  }
  return here + half_step(y, x, 0, dx) + half_step(y, x, dy, 0);
}

Quad ProjectedSurface::footprint(int64_t y, int64_t x) const {
  const bool inner = x > 0 && y > 0 && x + 1 < width_ && y + 1 < height_;
  constexpr uint8_t kBoth = kRight | kDown;
  if (inner) {
    const uint8_t* above = &links_[(y - 1) * width_ + x];
    const uint8_t* row = above + width_;
    const uint8_t* below = row + width_;
    const bool joined = above[-1] == kBoth && above[0] == kBoth && (above[1] & kDown) &&
                        row[-1] == kBoth && row[0] == kBoth && (row[1] & kDown) &&
                        (below[-1] & kRight) && (below[0] & kRight);
    if (joined) {
      const Vertex* a = &points_[(y - 1) * width_ + x];
      const Vertex* b = a + width_;
      const Vertex* c = b + width_;
      const Vertex left = a[-1] + b[-1], middle = a[0] + b[0], right = a[1] + b[1];
      const Vertex left2 = b[-1] + c[-1], middle2 = b[0] + c[0], right2 = b[1] + c[1];
      return {0.25f * (left + middle), 0.25f * (middle + right), 0.25f * (middle2 + right2),
              0.25f * (left2 + middle2)};
    }
  }
  return {corner(y, x, -1, -1), corner(y, x, -1, 1), corner(y, x, 1, 1), corner(y, x, 1, -1)};
}

}  // namespace momap::point_splat
