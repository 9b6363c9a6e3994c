// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "packed_matrix.h"

namespace momap {

/// A map f32 [H, W, C], pixels `stride` floats apart (C filled up to whole Lanes; what fills does
/// not matter).
struct FeatureMap {
  int64_t height = 0, width = 0, channels = 0, stride = 0;
  std::vector<float> data;

  FeatureMap() = default;
  FeatureMap(int64_t h, int64_t w, int64_t c)
      : height(h),
        width(w),
        channels(c),
        stride(in_lanes(c)),
        data(static_cast<size_t>(h * w * stride), 0.F) {}

  int64_t pixels() const { return height * width; }
  float* at(int64_t pixel) { return data.data() + pixel * stride; }
  const float* at(int64_t pixel) const { return data.data() + pixel * stride; }
};

/// A 3x3 convolution of stride 1 and padding 1, without bias, by Winograd's minimal filtering
/// F(4x4, 3x3) (Lavin, Gray, CVPR 2016): 36 products of matrices for 16 outputs.
class Convolution3x3 {
 public:
  Convolution3x3() = default;

  /// weight f32 [O, I, 3, 3].
  explicit Convolution3x3(const at::Tensor& weight);

  /// in.channels = I; out.channels = O. Tiles are spread over the threads of oneTBB.
  void operator()(const FeatureMap& in, FeatureMap& out) const;

 private:
  std::array<PackedMatrix, 36> matrices_;  // [6 x 6 places] of [I, O]
};

}  // namespace momap
