// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/camera.h>

namespace momap {

/// A motion map: for every pixel of one reference view, the 3D path of the point seen there over T
/// frames, in the fixed coordinates of the reference camera. Frame 0 is the unprojected reference
/// depth.
struct MoMap {
  at::Tensor xyz;      // f32 [T, H, W, 3], metres; finite where `valid`
  at::Tensor visible;  // bool [T, H, W], the point is seen in frame t
  at::Tensor valid;    // bool [H, W], there is evidence for this pixel's path
  Camera camera;       // the reference camera

  int64_t frames() const { return xyz.size(0); }
  int64_t height() const { return xyz.size(1); }
  int64_t width() const { return xyz.size(2); }
};

}  // namespace momap
