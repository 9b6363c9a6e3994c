// SPDX-License-Identifier: Apache-2.0
#include "packed_matrix.h"

#include <momap/base/clones.h>

#include <algorithm>

namespace momap {
namespace {

// A block of `Rows` x (16 `Panels`) sums that stays in registers.
template <int Rows, int Panels>
[[gnu::always_inline]] inline void block(const float* left, int64_t left_stride, const float* right,
                                         int64_t inner, float* out, int64_t out_stride) {
  Lanes sum[Rows][Panels] = {};
  for (int64_t k = 0; k < inner; ++k) {
    Lanes b[Panels];
    for (int p = 0; p < Panels; ++p) {
      b[p] = *reinterpret_cast<const Lanes*>(right + (p * inner + k) * kLanes);
    }
    for (int r = 0; r < Rows; ++r) {
      for (int p = 0; p < Panels; ++p) sum[r][p] += left[r * left_stride + k] * b[p];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int p = 0; p < Panels; ++p) {
      *reinterpret_cast<Lanes*>(out + r * out_stride + p * kLanes) = sum[r][p];
    }
  }
}

template <int Panels>
[[gnu::always_inline]] inline void all_rows(const float* left, int64_t left_stride, int64_t rows,
                                            const float* right, int64_t inner, float* out,
                                            int64_t out_stride) {
  constexpr int kRows = 12;
  int64_t row = 0;
  for (; row + kRows <= rows; row += kRows) {
    block<kRows, Panels>(left + row * left_stride, left_stride, right, inner,
                         out + row * out_stride, out_stride);
  }
  for (; row + 4 <= rows; row += 4) {
    block<4, Panels>(left + row * left_stride, left_stride, right, inner, out + row * out_stride,
                     out_stride);
  }
  for (; row < rows; ++row) {
    block<1, Panels>(left + row * left_stride, left_stride, right, inner, out + row * out_stride,
                     out_stride);
  }
}

MOMAP_CLONES void multiply(const float* left, int64_t left_stride, int64_t rows, const float* right,
                           int64_t inner, int64_t panels, float* out, int64_t out_stride) {
  int64_t panel = 0;
  for (; panel + 2 <= panels; panel += 2) {
    all_rows<2>(left, left_stride, rows, right + panel * inner * kLanes, inner,
                out + panel * kLanes, out_stride);
  }
  if (panel < panels) {
    all_rows<1>(left, left_stride, rows, right + panel * inner * kLanes, inner,
                out + panel * kLanes, out_stride);
  }
}

}  // namespace

PackedMatrix::PackedMatrix(const float* data, int64_t inner, int64_t columns, int64_t row_stride,
                           int64_t column_stride)
    : inner_(inner), columns_(columns), data_(static_cast<size_t>(in_lanes(columns) * inner), 0.F) {
  for (int64_t n = 0; n < columns; ++n) {
    float* panel = data_.data() + n / kLanes * inner * kLanes + n % kLanes;
    for (int64_t k = 0; k < inner; ++k) {
      panel[k * kLanes] = data[k * row_stride + n * column_stride];
    }
  }
}

void PackedMatrix::product(const float* left, int64_t left_stride, int64_t rows, float* out,
                           int64_t out_stride) const {
  multiply(left, left_stride, rows, data_.data(), inner_, columns() / kLanes, out, out_stride);
}

}  // namespace momap
