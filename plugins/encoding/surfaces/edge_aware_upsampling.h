// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/condition.h>

#include <vector>

/// Brings a coarse grid to full resolution without mixing across depth edges or segments.
///
/// A pixel takes the bilinear mean of the cells around it, each weighted by how much of it belongs
/// to the pixel's own surface: same non-zero segment, or (background, no segments) depth within 20
/// %. Cells much less pure than the purest of the 3x3 around do not count; where that leaves little
/// of the four nearest, the 3x3 fill in.
class EdgeAwareUpsampling {
 public:
  /// Keeps references: `coarse` f32 [C, h, w] with h = ceil(H / stride), and the condition's points
  /// and segments.
  EdgeAwareUpsampling(const at::Tensor& coarse, const momap::Condition& condition, int64_t stride);

  /// Row y at full resolution into `out`, f64 [C, W]; pixels of unknown depth get 0.
  void row(int64_t y, std::vector<double>& out) const;

 private:
  double share_of_surface(int64_t cell_y, int64_t cell_x, float log_depth, int32_t segment) const;

  at::Tensor coarse_;             // f32 [C, h, w]
  std::vector<float> log_depth_;  // [H, W], NaN = unknown
  std::vector<int32_t> segment_;  // [H, W], 0 everywhere without segments
  int64_t stride_;
  int64_t height_;
  int64_t width_;
};
