// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/clip.h>

#include <Eigen/Geometry>

namespace momap::formats {

/// Depth f32 [H, W] of frame 1 where the flow f32 [H, W, 2] px leads from each pixel of frame 0:
/// inverse depth between the four neighbours, which is exact on planes. NaN where the flow is
/// unknown or leads outside, or where the neighbours differ by more than 2 % (an edge).
at::Tensor depth_along_flow(const at::Tensor& next_depth, const at::Tensor& flow);

/// Points f32 [H, W, 3] in the camera of frame 1: at pixel + flow with depth z f32 [H, W] there.
/// NaN where either is unknown.
at::Tensor points_along_flow(const at::Tensor& flow, const at::Tensor& z, const Camera& camera);

/// bool [H, W]: the point f32 [H, W, 3] of frame 1 lies behind what frame 1 shows where it would be
/// seen, by more than 2 % of its depth. False where either is unknown.
at::Tensor hidden_behind(const at::Tensor& next_points, const at::Tensor& next_depth,
                         const Camera& camera);

/// The exact motion of two frames. `depth` f32 [H, W] of frame 0; `next_points` f32 [H, W, 3] in
/// the camera of frame 1; `hidden` bool [H, W], the point is not seen in frame 1. Valid where depth
/// and point are known; seen in frame 1 where not hidden and inside the image.
MoMap pair_motion(const at::Tensor& depth, const at::Tensor& next_points, const at::Tensor& hidden,
                  const Camera& camera, const Eigen::Isometry3d& first_from_next);

/// Disparity f32 [H, W] px, NaN or <= 0 unknown, to depth: focal length x baseline / disparity; 0
/// where unknown.
at::Tensor depth_from_disparity(const at::Tensor& disparity, double focal_px, double baseline_m);

}  // namespace momap::formats
