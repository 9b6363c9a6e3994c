// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/data/opencv.h>

#include <cstring>
#include <stdexcept>
#include <vector>

namespace momap {
namespace {

int depth_of(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return CV_8U;
    case at::kInt:
      return CV_32S;
    case at::kFloat:
      return CV_32F;
    case at::kDouble:
      return CV_64F;
    default:
      throw std::invalid_argument(
          fmt::format("as_mat: a tensor of {} has no matrix; expected u8, i32, f32 or f64",
                      c10::toString(type)));
  }
}

at::ScalarType type_of(int depth) {
  switch (depth) {
    case CV_8U:
      return at::kByte;
    case CV_32S:
      return at::kInt;
    case CV_32F:
      return at::kFloat;
    case CV_64F:
      return at::kDouble;
    default:
      throw std::invalid_argument(
          fmt::format("to_tensor: a matrix of {} has no tensor; expected 8U, 32S, 32F or 64F",
                      cv::depthToString(depth)));
  }
}

}  // namespace

cv::Mat as_mat(const at::Tensor& tensor) {
  const int64_t channels = tensor.dim() == 3 ? tensor.size(2) : 1;
  const bool fits = (tensor.dim() == 2 || tensor.dim() == 3) && tensor.is_contiguous() &&
                    tensor.device().is_cpu() && channels >= 1 && channels <= CV_CN_MAX &&
                    tensor.size(0) <= INT_MAX && tensor.size(1) <= INT_MAX;
  if (!fits) {
    throw std::invalid_argument(
        fmt::format("as_mat: a tensor [{}] has no matrix; expected contiguous [H, W] or [H, W, C]",
                    fmt::join(tensor.sizes(), ", ")));
  }
  const int type = CV_MAKETYPE(depth_of(tensor.scalar_type()), static_cast<int>(channels));
  return {static_cast<int>(tensor.size(0)), static_cast<int>(tensor.size(1)), type,
          tensor.data_ptr()};
}

at::Tensor to_tensor(const cv::Mat& mat) {
  if (mat.dims != 2) throw std::invalid_argument("to_tensor: expected a matrix of two dimensions");
  std::vector<int64_t> sizes{mat.rows, mat.cols};
  if (mat.channels() > 1) sizes.push_back(mat.channels());
  at::Tensor tensor = at::empty(sizes, type_of(mat.depth()));
  const size_t row_bytes = static_cast<size_t>(mat.cols) * mat.elemSize();
  auto* out = static_cast<uint8_t*>(tensor.data_ptr());
  for (int y = 0; y < mat.rows; ++y) {
    std::memcpy(out + static_cast<size_t>(y) * row_bytes, mat.ptr(y), row_bytes);
  }
  return tensor;
}

}  // namespace momap
