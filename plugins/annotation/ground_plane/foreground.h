// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

namespace momap {

struct ForegroundOptions {
  int threshold = 25;               ///< colour difference from the background, of 255
  double smallest_fraction = 5e-4;  ///< blobs below this share of the image are noise
};

/// One thing that moves in front of the background, in one frame.
struct Blobs {
  cv::Mat labels;           // i32 [H, W], 0 = background
  std::vector<int> lowest;  // row of the lowest pixel by label; -1 for labels that are no blob
};

/// The background of a static camera: the temporal median of (up to 49 of) the frames u8 [T, H, W,
/// 3].
cv::Mat median_background(const at::Tensor& frames);

/// What differs from the background in `frame` (u8 RGB), cleaned of specks and gaps.
Blobs moving_blobs(const cv::Mat& frame, const cv::Mat& background,
                   const ForegroundOptions& options);

}  // namespace momap
