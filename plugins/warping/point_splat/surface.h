// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/camera.h>

#include <array>
#include <cstdint>
#include <vector>

namespace momap::point_splat {

struct Limits {
  float edge_tolerance;    // relative depth step between neighbours of one surface
  float max_footprint_px;  // a surface stretched further than this per source pixel is torn
};

/// Depth and evidence on the reference grid, and which neighbours lie on one surface there.
struct ReferenceGrid {
  ReferenceGrid(const float* xyz, const bool* is_valid, int64_t rows, int64_t columns,
                const Limits& limits);

  int64_t height, width;
  const bool* valid;           // [H, W]
  std::vector<float> depth;    // [H, W], metres
  std::vector<uint8_t> links;  // [H, W], see Link
};

/// Two neighbours that lie on one surface; kept at the left and at the upper pixel of the pair.
enum Link : uint8_t { kRight = 1, kDown = 2 };

/// A point on the image: px, px, depth in metres.
struct Vertex {
  float x, y, z;
};

inline Vertex operator+(Vertex a, Vertex b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vertex operator-(Vertex a, Vertex b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vertex operator*(float s, Vertex a) { return {s * a.x, s * a.y, s * a.z}; }

/// Corners of a footprint in the order upper left, upper right, lower right, lower left.
using Quad = std::array<Vertex, 4>;

/// The points of one frame on the image, joined to surfaces.
///
/// The footprint of a source pixel is the quad between the half-way points to its neighbours on the
/// same surface. Pixels of one surface share their corners, so a magnified surface has no cracks.
/// Where a surface ends, its last step is continued by half; a pixel without any neighbour gets
/// half a pixel times its change of scale.
class ProjectedSurface {
 public:
  /// xyz [H, W, 3]; `visible` [H, W] or nullptr to take all points that are valid.
  ProjectedSurface(const float* xyz, const bool* visible, const ReferenceGrid& reference,
                   const Camera& camera, const Limits& limits);

  /// Points that are not finite, not in front of the camera or far outside the image.
  int64_t dropped() const { return dropped_; }

  bool drawable(int64_t pixel) const { return points_[pixel].z > 0; }
  const Vertex& point(int64_t pixel) const { return points_[pixel]; }

  /// Whether the neighbour at (dy, dx), one of them 0, lies on the same surface as pixel (y, x).
  bool linked(int64_t y, int64_t x, int dy, int dx) const {
    if (dx > 0) return links_[y * width_ + x] & kRight;
    if (dy > 0) return links_[y * width_ + x] & kDown;
    if (dx < 0) return x > 0 && links_[y * width_ + x - 1] & kRight;
    return y > 0 && links_[(y - 1) * width_ + x] & kDown;
  }

  Quad footprint(int64_t y, int64_t x) const;

 private:
  void link(const Limits& limits);
  Vertex corner(int64_t y, int64_t x, int dy, int dx) const;
  Vertex half_step(int64_t y, int64_t x, int dy, int dx) const;
  const Vertex& at(int64_t y, int64_t x) const { return points_[y * width_ + x]; }

  const ReferenceGrid& reference_;
  int64_t height_, width_;
  float max_half_px_;
  int64_t dropped_ = 0;
  std::vector<Vertex> points_;  // [H, W]; z = 0: not drawn
  std::vector<uint8_t> links_;  // [H, W]
};

}  // namespace momap::point_splat
