// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace momap {

/// True 3D paths of N single points, as point-tracking data sets give them.
struct Tracks {
  at::Tensor xyz;      // f32 [T, N, 3], metres in the camera frame of frame 0; finite where `valid`
  at::Tensor visible;  // bool [T, N], the point is seen in frame t
  at::Tensor valid;    // bool [T, N], its position in frame t is known
  at::Tensor queries;  // f64 [N, 3], where a tracker is told of it: x px, y px, frame

  int64_t frames() const { return xyz.size(0); }
  int64_t count() const { return xyz.size(1); }
};

}  // namespace momap
