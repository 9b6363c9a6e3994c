// SPDX-License-Identifier: Apache-2.0
#include "edge_aware_upsampling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace {

// Surfaces further apart than this in log depth share nothing.
constexpr float kDepthReach = 0.2f;
// A cell with a smaller share of the surface than this part of the best share around does not
// count.
constexpr double kPure = 0.6;
// Below this much evidence from the four nearest cells, the wider neighbourhood fills in.
constexpr double kEnough = 0.5;

float same_surface(float log_depth, int32_t segment, float other_log_depth, int32_t other_segment) {
  if (segment != other_segment || !(other_log_depth == other_log_depth)) return 0;
  if (segment != 0) return 1;
  const float r = (log_depth - other_log_depth) / kDepthReach;
  const float inside = std::max(0.f, 1 - r * r);
  return inside * inside;
}

}  // namespace

EdgeAwareUpsampling::EdgeAwareUpsampling(const at::Tensor& coarse,
                                         const momap::Condition& condition, int64_t stride)
    : coarse_(coarse.contiguous()),
      stride_(stride),
      height_(condition.points.size(0)),
      width_(condition.points.size(1)) {
  const at::Tensor points = condition.points.contiguous();
  const float* const p = points.data_ptr<float>();
  const int64_t pixels = height_ * width_;
  log_depth_.resize(static_cast<size_t>(pixels));
  for (int64_t i = 0; i < pixels; ++i) {
    const float z = p[3 * i + 2];
    log_depth_[i] =
        z > 0 && std::isfinite(z) ? std::log(z) : std::numeric_limits<float>::quiet_NaN();
  }
  segment_.assign(static_cast<size_t>(pixels), 0);
  if (condition.segments) {
    const at::Tensor segments = condition.segments->contiguous();
    std::copy_n(segments.data_ptr<int32_t>(), pixels, segment_.begin());
  }
}

double EdgeAwareUpsampling::share_of_surface(int64_t cell_y, int64_t cell_x, float log_depth,
                                             int32_t segment) const {
  const int64_t y_end = std::min(height_, (cell_y + 1) * stride_);
  const int64_t x_end = std::min(width_, (cell_x + 1) * stride_);
  float sum = 0;
  for (int64_t y = cell_y * stride_; y < y_end; ++y) {
    for (int64_t x = cell_x * stride_; x < x_end; ++x) {
      const int64_t i = y * width_ + x;
      sum += same_surface(log_depth, segment, log_depth_[i], segment_[i]);
    }
  }
  const auto area = static_cast<double>((y_end - cell_y * stride_) * (x_end - cell_x * stride_));
  return sum / area;
}

void EdgeAwareUpsampling::row(int64_t y, std::vector<double>& out) const {
  const int64_t channels = coarse_.size(0);
  const int64_t h = coarse_.size(1);
  const int64_t w = coarse_.size(2);
  const float* const values = coarse_.data_ptr<float>();
  std::fill(out.begin(), out.end(), 0.0);
  const double cell_y = (static_cast<double>(y) + 0.5) / static_cast<double>(stride_) - 0.5;
  const int64_t own_y = y / stride_;
  for (int64_t x = 0; x < width_; ++x) {
    const float log_depth = log_depth_[y * width_ + x];
    if (!(log_depth == log_depth)) continue;
    const int32_t segment = segment_[y * width_ + x];
    const double cell_x = (static_cast<double>(x) + 0.5) / static_cast<double>(stride_) - 0.5;
    const int64_t own_x = x / stride_;

    // The 3x3 cells around the pixel's own hold the four nearest; beyond the border the border cell
    // stands in.
    std::array<double, 9> share{};
    std::array<int64_t, 9> cell{};
    for (int k = 0; k < 9; ++k) {
      const int64_t inside_y = std::clamp<int64_t>(own_y + k / 3 - 1, 0, h - 1);
      const int64_t inside_x = std::clamp<int64_t>(own_x + k % 3 - 1, 0, w - 1);
      cell[k] = inside_y * w + inside_x;
      share[k] = share_of_surface(inside_y, inside_x, log_depth, segment);
    }
    const double best =
        *std::max_element(share.begin(), share.end());  // > 0: the own cell holds this pixel
    std::array<double, 9> weight{};
    std::array<double, 9> wide{};
    double near_sum = 0;
    double wide_sum = 0;
    for (int k = 0; k < 9; ++k) {
      const int64_t near_y = own_y + k / 3 - 1, near_x = own_x + k % 3 - 1;
      const double dy = std::abs(static_cast<double>(near_y) - cell_y);
      const double dx = std::abs(static_cast<double>(near_x) - cell_x);
      const double purity = std::max(0.0, (share[k] / best - kPure) / (1 - kPure));
      weight[k] = purity * purity * std::max(0.0, 1 - dy) * std::max(0.0, 1 - dx);
      wide[k] = purity * purity / (1 + 4 * (dy * dy + dx * dx));
      near_sum += weight[k];
      wide_sum += wide[k];
    }
    const double missing = std::max(0.0, kEnough - near_sum) / wide_sum;
    const double total = std::max(near_sum, kEnough);
    for (int k = 0; k < 9; ++k) {
      const double part = (weight[k] + missing * wide[k]) / total;
      if (part == 0) continue;
      for (int64_t c = 0; c < channels; ++c) {
        out[c * width_ + x] += part * static_cast<double>(values[c * h * w + cell[k]]);
      }
    }
  }
}
