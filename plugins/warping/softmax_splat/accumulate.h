// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace momap::warping {

/// What points leave in a pixel: sums over them, with bilinear shares b and weights m.
struct alignas(32) SplatSums {
  float red, green, blue;  // sum b m I
  float weight;            // sum b m
  float depth;             // sum b m z, of points that carry a depth
  float share;             // sum b
  float unused[2];
};

/// Points in a row, or any others. Those whose place is NaN, infinite or beside the image take no
/// part.
struct PointRun {
  int64_t count;
  const float* x;       // [N], px
  const float* y;       // [N], px
  const float* weight;  // [N], m
  const float* colour;  // [N, 4]; the fourth is 1
  const float* depth;   // [N], metres; nullptr: they carry none
};

/// Adds points to the four pixels around each. Neighbours in a run that fall on neighbouring pixels
/// share their sums in registers, so points in the order of a picture's rows are fast; the result
/// is the same on any machine.
class Accumulator {
 public:
  /// Empties `sums` [H, W].
  Accumulator(SplatSums* sums, int64_t height, int64_t width);

  void add(const PointRun& points);

 private:
  SplatSums* sums_;
  int32_t height_, width_;
};

/// A picture from the sums: covered where the shares add up to `least_share`, and colour and depth
/// are means by weight there, or `plain` sums of colour; elsewhere all is 0.
void show(const SplatSums* sums, int64_t pixels, bool plain, float least_share, uint8_t* rgb,
          bool* covered, float* depth);

/// Points of a run that are not seen: less than 1 % of every covered pixel they reach is theirs.
struct Unseen {
  int64_t hidden = 0;   ///< they reach a pixel
  int64_t outside = 0;  ///< they reach none
};
Unseen count_unseen(const PointRun& points, const SplatSums* sums, float least_share,
                    int64_t height, int64_t width);

}  // namespace momap::warping
