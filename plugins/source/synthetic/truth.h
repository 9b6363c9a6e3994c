// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "view.h"

namespace momap::synthetic {

/// A point counts as seen when nothing is in between that is nearer to the camera than it by more
/// than this: 1 mm and 0.02 % of its depth.
inline constexpr double kSeenMetres = 1e-3;
inline constexpr double kSeenShare = 2e-4;

/// Where every pixel's point of frame 0 is in the other frames, and whether it is seen there.
class Truth {
 public:
  /// `faces` and `depth` [H * W] are those of frame 0; the stage is posed for frame 0.
  Truth(const StageSet& stage, const View& view, std::span<const int32_t> faces,
        std::span<const float> depth);

  /// Frame t of the stage as it is posed now by `motions`: xyz f32 [H, W, 3] (m, reference camera)
  /// and visible [H, W].
  void fill(const std::vector<Motion>& motions, int64_t t, float* xyz, bool* visible);

  /// Positions of the points of a mover's segment in frame t of its motion, world coordinates; an
  /// even choice of at most `limit` of them when that is not 0.
  std::vector<Vec3> points_of(int mover, const Motion& motion, int64_t t, size_t limit) const;
  /// Pixels that show the mover's named segment in frame 0.
  int64_t pixels_of(int mover) const;

  bool valid(int64_t i) const { return faces_[static_cast<size_t>(i)] >= 0; }

 private:
  struct MovingPoint {
    uint32_t pixel;
    int32_t face;
    uint32_t slot;  // of its part among the mover's
    Vec3 own;       // in the part's coordinates
    double b1, b2;  // barycentric, for cloth
  };

  /// Where a still point is seen in a frame.
  struct Sighting {
    float z = 0;    // m, depth; 0 = outside the picture or hidden by something still
    int32_t x = 0;  // px, the pixel it falls on
    int32_t y = 0;
  };

  Vec3 place(const MovingPoint& point, const Motion& motion, int64_t t) const;
  const std::vector<Sighting>& still_points(int64_t t);

  const StageSet* stage_;
  const View* view_;
  std::vector<int32_t> faces_;
  std::vector<float> first_;                      // [H * W, 3], frame 0 unprojected
  std::vector<Vec3> world_;                       // [H * W]
  std::vector<std::vector<MovingPoint>> moving_;  // by mover
  std::vector<std::vector<Sighting>>
      still_;  // [T][H * W], made when first asked for; a camera that rests needs one
};

}  // namespace momap::synthetic
