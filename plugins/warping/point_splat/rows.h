// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "surface.h"

// The arithmetic of a frame, row by row in loops that the compiler vectorises. Image positions are
// integers, 1/256 px, so that differences between neighbours are exact.

namespace momap::warping {

/// A row of `width` elements with one more, 0, on either side.
template <class T>
class PaddedRow {
 public:
  explicit PaddedRow(int64_t width) : values_(static_cast<size_t>(width) + 2) {}
  T* data() { return values_.data() + 1; }
  const T* data() const { return values_.data() + 1; }

 private:
  std::vector<T> values_;
};

/// A row of points of one frame on the image and what they are joined to.
struct SurfaceRow {
  explicit SurfaceRow(int64_t width)
      : x(width), y(width), z(width), right(width), down(width), cell(width), twist(width) {}

  PaddedRow<int32_t> x, y;         // 1/256 px
  PaddedRow<float> z;              // metres; 0: cannot be drawn
  PaddedRow<int32_t> right, down;  // 1: joined to the neighbour at x + 1, in the next row
  PaddedRow<int32_t> cell;         // 1: this point, x + 1 and the two below are one surface
  PaddedRow<int32_t> twist;        // how far these four are from a parallelogram, 1/256 px
};

/// Pixels [begin, end) of a row.
struct Range {
  int64_t begin, end;
};

/// The image drawn to, px.
struct Size {
  int32_t columns, rows;
};

/// Footprints of a row of source pixels.
///
/// (s, t) is a place in source px from the pixel's own point. A footprint is where -s_low <= s <=
/// s_high and -t_low <= t <= t_high; it holds the quad between the half-way points to the
/// neighbours on the same surface, so a magnified surface has no cracks. Where a surface ends, its
/// last step is continued by half; a pixel without neighbours gets half a pixel times its change of
/// scale.
struct FootprintRow {
  explicit FootprintRow(int64_t width);

  /// What is to be drawn: 0 = nothing, 1 = one pixel, 2 = look at all of the bounding box.
  std::vector<int32_t> work;
  // First pixel of the bounding box, as an index in the image, and the box's size.
  std::vector<int32_t> pixel, columns, rows;
  std::vector<float> s, t;  // of the first pixel
  std::vector<float> s_per_column, t_per_column, s_per_row, t_per_row;
  std::vector<float> s_low, s_high, t_low, t_high;
  std::vector<float> depth;                     // at the first pixel, metres
  std::vector<float> depth_per_s, depth_per_t;  // metres per source px
  std::vector<uint32_t> colour;                 // at the first pixel, red in the lowest byte
};

/// u, v in px -> x, y of a part of the row.
void snap(const float* u, const float* v, Range part, SurfaceRow& row);

/// Joins the points of a row where `links` of the reference row do and the surface still holds
/// together in this frame; then those of `upper` to the row below, once both are joined inside.
void join_right(const uint8_t* links, const Limits& limits, Range part, SurfaceRow& row);
void join_down(const uint8_t* links, const Limits& limits, Range part, const SurfaceRow& lower,
               SurfaceRow& upper);

/// The reference image around a row: the row and those above and below (any row where there is
/// none).
struct ColourRows {
  const uint32_t *above, *here, *below;
};

/// Number of points of each outcome that `footprints` settles.
struct Tally {
  int64_t single, outside, too_small;
};

/// `lone_x`, `lone_y`: px of the image per px of the reference image at the same depth;
/// `reference_depth` [W], metres.
Tally footprints(const SurfaceRow& above, const SurfaceRow& here, const SurfaceRow& below,
                 const ColourRows& colours, const float* reference_depth, float lone_x,
                 float lone_y, const Limits& limits, Range part, Size image, FootprintRow& out);

/// The neighbours of a pixel whose colour may be mixed with its own.
struct Neighbours {
  bool beside, along, across;
};

/// Of pixel x: at x + dx, in the row at dy, and at both (dx, dy = -1 or 1).
inline Neighbours neighbours(const SurfaceRow& above, const SurfaceRow& here, int64_t x, int dx,
                             int dy) {
  const int64_t left = dx < 0 ? x - 1 : x;
  const SurfaceRow& upper = dy < 0 ? above : here;
  return {here.right.data()[left] != 0, upper.down.data()[x] != 0, upper.cell.data()[left] != 0};
}

}  // namespace momap::warping
