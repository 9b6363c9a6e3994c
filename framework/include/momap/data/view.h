// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/camera.h>
#include <momap/data/clip.h>

#include <optional>

namespace momap {

/// From where the frames of a video are seen, told relative to the reference camera of a motion
/// map.
struct View {
  Camera camera;
  std::optional<at::Tensor> cam_from_reference;  // f64 [T, 4, 4], rigid, metres; absent: identity

  /// The camera of a clip whose frame 0 is seen from the reference camera, and its path from there
  /// if it has poses. Throws DataError when the clip has no camera.
  static View from(const Clip& clip);
};

}  // namespace momap
