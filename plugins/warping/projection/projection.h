// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/momap.h>
#include <momap/data/partial_clip.h>
#include <momap/data/view.h>

#include <array>
#include <cstdint>

namespace momap::warping {

/// What becomes of a point: 0 = it can be drawn, otherwise 1 + the DropReason.
using Fate = int32_t;

constexpr Fate fate_of(DropReason reason) { return 1 + static_cast<Fate>(reason); }

/// How one frame of a view maps points of the reference camera frame to its image.
struct Projection {
  /// `scale` > 1: to an image with that many times the pixels along each side, over the same area.
  Projection(const View& view, int64_t frame, int scale = 1);

  std::array<float, 12> cam_from_reference;  // rows of [R | t], metres
  bool moved;                                // false: the line above is the identity
  float fx, fy, cx, cy;                      // px
  int64_t width, height;                     // px
};

/// A row of points of one frame.
struct PointRow {
  const float* xyz;     // [W, 3], metres, reference camera frame
  const bool* valid;    // [W]
  const bool* visible;  // [W] or nullptr: not asked
};

/// Where a row of points falls in the image. Points that cannot be drawn have u = v = z = 0.
struct ProjectedRow {
  float* u;    // [W], px
  float* v;    // [W], px
  float* z;    // [W], metres in front of the view
  Fate* fate;  // [W]
};

/// Points further than `margin` px beside the image are outside.
void project(const PointRow& points, int64_t count, const Projection& projection, float margin,
             const ProjectedRow& out);

/// Adds the fates of a row to the counts of its frame, i64 [kDropReasons].
void count_fates(const Fate* fates, int64_t count, int64_t* dropped);

}  // namespace momap::warping
