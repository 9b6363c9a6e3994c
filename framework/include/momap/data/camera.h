// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace momap {

/// Pinhole camera. Pixel centres at integer coordinates, x right, y down, z forward (as OpenCV). No
/// distortion: frames are undistorted when they are read.
struct Camera {
  double fx = 0, fy = 0;  ///< focal lengths, px
  double cx = 0, cy = 0;  ///< principal point, px
  int64_t width = 0, height = 0;

  /// The same camera for an image resized to `new_width` x `new_height` (pixel centres kept in
  /// place).
  Camera resized(int64_t new_width, int64_t new_height) const;

  bool operator==(const Camera&) const = default;
};

}  // namespace momap
