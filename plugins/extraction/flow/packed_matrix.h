// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace momap {

/// Sixteen floats that are worked on together.
using Lanes = float __attribute__((vector_size(64), aligned(4), may_alias));
constexpr int64_t kLanes = 16;

/// `n` rounded up to whole Lanes.
constexpr int64_t in_lanes(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

/// A matrix f32 [inner, columns] kept as the product reads it, columns filled up to whole Lanes.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  /// Of the element (k, n) at data[k * row_stride + n * column_stride].
  PackedMatrix(const float* data, int64_t inner, int64_t columns, int64_t row_stride,
               int64_t column_stride);

  int64_t inner() const { return inner_; }
  int64_t columns() const { return in_lanes(columns_); }

  /// out [rows, columns()] = left [rows, inner] times this; strides are of rows, in floats. The sum
  /// over `inner` runs in its order for every element.
  void product(const float* left, int64_t left_stride, int64_t rows, float* out,
               int64_t out_stride) const;

 private:
  int64_t inner_ = 0, columns_ = 0;
  std::vector<float> data_;  // [columns() / 16][inner][16]
};

}  // namespace momap
