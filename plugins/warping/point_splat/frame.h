// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "canvas.h"
#include "projection/projection.h"
#include "rest.h"
#include "rows.h"
#include "surface.h"

namespace momap::warping {

/// The points of one frame of a motion map.
struct FramePoints {
  const float* xyz;     // [H, W, 3], metres, reference camera frame
  const bool* valid;    // [H, W]
  const bool* visible;  // [H, W] or nullptr: not asked
  const float* first;   // xyz of frame 0 where the reference camera looks on; otherwise nullptr
};

/// Draws frames of one motion map, one after the other, in memory that is kept.
///
/// A window of three rows moves over the reference grid. A pixel takes the colour of the reference
/// image at its own place inside a footprint (bilinear), where colours of another surface are left
/// out. So a map at rest gives the image back bit for bit, and parts at rest are shown without more
/// ado.
class FramePainter {
 public:
  FramePainter(const Reference& reference, const Limits& limits, int64_t columns, int64_t rows);

  /// Draws to the canvas, with `depth` of its size as the z-buffer. `lone_x`, `lone_y`: px of the
  /// canvas per px of the reference image at equal depth. `dropped` [kDropReasons] is added to.
  void draw(const FramePoints& points, const Projection& projection, float lone_x, float lone_y,
            float* depth, int64_t* dropped);

  const Canvas& canvas() const { return canvas_; }

 private:
  SurfaceRow& row(int64_t y) { return window_[static_cast<size_t>((y + 3) % 3)]; }
  void enter(int64_t y, const FramePoints& points, const Projection& projection, int64_t* dropped);
  void cut_below(SurfaceRow& last) const;
  void draw_row(int64_t y, int64_t* dropped);
  void draw_part(int64_t y, Range part, int64_t* dropped);
  void show_calm(int64_t y, int64_t* dropped);
  void draw_box(int64_t y, int64_t x, int64_t* dropped);

  const Reference& reference_;
  Limits limits_;
  Size size_;
  float lone_x_ = 1, lone_y_ = 1;
  int64_t placed_ = 0;  // points with a pixel centre in their footprint
  std::vector<SurfaceRow> window_;
  FootprintRow footprints_;
  std::vector<float> u_, v_;
  std::vector<Fate> fates_;
  Rest rest_;
  Canvas canvas_;
};

}  // namespace momap::warping
