// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/camera.h>

namespace momap {

/// depth f32 [H, W] (metres along z) -> points f32 [H, W, 3] in camera coordinates; unknown depth
/// gives (0, 0, 0).
at::Tensor unproject(const at::Tensor& depth, const Camera& camera);

/// Which points of a map xyz f32 [T, H, W, 3] are seen by the camera: in front, inside the image,
/// and not behind another point of the map by more than `tolerance` of its depth. Returns bool [T,
/// H, W].
at::Tensor visible_by_depth(const at::Tensor& xyz, const at::Tensor& valid, const Camera& camera,
                            double tolerance = 0.05);

}  // namespace momap
