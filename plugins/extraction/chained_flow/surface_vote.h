// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

namespace momap {

/// Mean of the votes around each pixel, those of pixels of like depth (a surface) and grey counting
/// more (a joint bilateral filter). votes f32 [H, W], clipped to +-3; grey u8 [H, W]; depth f32
/// [H, W], metres, pixels without depth do not vote.
cv::Mat vote_by_surface(const cv::Mat& votes, const cv::Mat& grey, const float* depth);

}  // namespace momap
