// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/matx.hpp>

namespace momap::draw {

/// Colour of the checkerboard that stands for "nothing known here".
inline cv::Vec3b checker(int y, int x) {
  constexpr int kSide = 8;  // px
  return (y / kSide + x / kSide) % 2 ? cv::Vec3b(96, 96, 96) : cv::Vec3b(160, 160, 160);
}

}  // namespace momap::draw
