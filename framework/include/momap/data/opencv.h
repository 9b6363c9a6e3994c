// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <opencv2/core/mat.hpp>

namespace momap {

/// A cv::Mat header over a contiguous tensor [H, W] or [H, W, C] of u8, i32, f32 or f64; shares
/// memory, so the tensor must outlive it. Throws std::invalid_argument for other layouts.
cv::Mat as_mat(const at::Tensor& tensor);

/// A tensor [H, W] or [H, W, C] with a copy of the matrix.
at::Tensor to_tensor(const cv::Mat& mat);

}  // namespace momap
