// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/clip.h>
#include <momap/stage/stage.h>

#include <vector>

namespace momap {

/// How much larger `to` is than `from`, point i of one being point i of the other: the median over
/// pairs of points of the ratio of their distances. Camera motion does not change it, and neither
/// do a few points that move by themselves. Points are x, y, z; 0 where fewer than 8 are given.
double relative_scale(const std::vector<double>& from, const std::vector<double>& to);

/// Depth of a clip whose frames each have a scale of their own, brought to one scale: corners are
/// followed from frame to frame, and each frame is multiplied so that they keep their distances in
/// space. The geometric mean of all factors is 1. A frame in which too few corners are left keeps
/// the factor of the frame before.
///
/// clip: depth and camera given. Returns f32 [T, H, W]. Throws DataError without a camera.
at::Tensor align_scales(const Clip& clip, const Context& context);

}  // namespace momap
