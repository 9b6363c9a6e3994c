// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

namespace momap {

/// Flow between two frames in both directions, px.
struct FlowPair {
  cv::Mat forward;   // f32x2 [H, W], (u, v) from a to b on a's grid
  cv::Mat backward;  // f32x2 [H, W], from b to a on b's grid
};

/// DIS flow (dense inverse search) between u8 grey images of any size; preset: ultrafast, fast or
/// medium.
FlowPair flow_between(const cv::Mat& a, const cv::Mat& b, const std::string& preset);

}  // namespace momap
