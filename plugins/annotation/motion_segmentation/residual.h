// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/camera.h>

#include <opencv2/core/mat.hpp>
#include <opencv2/core/matx.hpp>

namespace momap {

/// By how many px flow contradicts that a pixel's point stands still, f32 [H, W]; NaN where it is
/// not known. `flow` f32x2 [H, W] from one frame to another, `move` the second camera's frame from
/// the first's. With depth (f32 [H, W], metres; 0 or NaN = unknown) the distance from the point's
/// place; with none (nullptr) that from its epipolar line, to first order (Sampson), or, where the
/// camera only turns, from where its ray goes.
cv::Mat motion_residual(const cv::Mat& flow, const Camera& camera, const cv::Matx44d& move,
                        const float* depth);

}  // namespace momap
