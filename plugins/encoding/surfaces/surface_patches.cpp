// SPDX-License-Identifier: Apache-2.0
#include "surface_patches.h"

#include <tbb/parallel_for.h>

#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <algorithm>
#include <cmath>

namespace {

// Background further apart than this in log depth is another surface.
constexpr double kDepthReach = 0.2;
// Damping of the fit's slopes, as a share of the weight of all patches: few patches say a mean.
constexpr double kRidge = 0.001;
// Weight of "moves as the patches around it" against "makes up the cell's mean".
constexpr double kRigid = 0.01;
// Weight of "moves as its cell does", which decides where nothing else does.
constexpr double kTied = 1e-5;

}  // namespace

struct SurfacePatches::Factor {
  Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> of;
};

SurfacePatches::~SurfacePatches() = default;

SurfacePatches::SurfacePatches(const momap::Condition& condition, int64_t stride)
    : stride_(stride),
      height_(condition.points.size(0)),
      width_(condition.points.size(1)),
      cells_high_((height_ + stride - 1) / stride),
      cells_wide_((width_ + stride - 1) / stride) {
  const at::Tensor points = condition.points.contiguous();
  const float* const p = points.data_ptr<float>();
  const int64_t pixels = height_ * width_;
  inverse_depth_.resize(static_cast<size_t>(pixels));
  for (int64_t i = 0; i < pixels; ++i) {
    const float z = p[3 * i + 2];
    inverse_depth_[i] = z > 0 && std::isfinite(z) ? 1 / z : 0.f;
  }
  segment_.assign(static_cast<size_t>(pixels), 0);
  if (condition.segments) {
    const at::Tensor segments = condition.segments->contiguous();
    std::copy_n(segments.data_ptr<int32_t>(), pixels, segment_.begin());
  }
  patch_of_.assign(static_cast<size_t>(pixels), -1);
  for (int64_t cell_y = 0; cell_y < cells_high_; ++cell_y) {
    for (int64_t cell_x = 0; cell_x < cells_wide_; ++cell_x) {
      first_in_cell_.push_back(static_cast<int64_t>(patches_.size()));
      split_cell(cell_y, cell_x);
    }
  }
  first_in_cell_.push_back(static_cast<int64_t>(patches_.size()));
  factorize();
  fit_pixels();
}

void SurfacePatches::split_cell(int64_t cell_y, int64_t cell_x) {
  std::vector<int64_t> known;
  for (int64_t y = cell_y * stride_; y < std::min(height_, (cell_y + 1) * stride_); ++y) {
    for (int64_t x = cell_x * stride_; x < std::min(width_, (cell_x + 1) * stride_); ++x) {
      if (inverse_depth_[y * width_ + x] > 0) known.push_back(y * width_ + x);
    }
  }
  // By segment, background by depth: a gap there starts another surface.
  std::ranges::sort(known, [&](int64_t a, int64_t b) {
    if (segment_[a] != segment_[b]) return segment_[a] < segment_[b];
    return inverse_depth_[a] != inverse_depth_[b] ? inverse_depth_[a] < inverse_depth_[b] : a < b;
  });
  for (size_t i = 0; i < known.size(); ++i) {
    const int64_t pixel = known[i];
    const bool starts =
        i == 0 || segment_[pixel] != segment_[known[i - 1]] ||
        (segment_[pixel] == 0 &&
         std::log(inverse_depth_[pixel] / inverse_depth_[known[i - 1]]) > kDepthReach);
    if (starts) patches_.push_back({cell_y, cell_x, segment_[pixel], 0, 0, 0, 0, 0});
    Patch& patch = patches_.back();
    patch.share += 1;
    const auto x = pixel % width_, y = pixel / width_;
    patch.x += static_cast<double>(x);
    patch.y += static_cast<double>(y);
    patch.inverse_depth += inverse_depth_[pixel];
    patch_of_[pixel] = static_cast<int64_t>(patches_.size()) - 1;
  }
  for (auto i = static_cast<size_t>(first_in_cell_.back()); i < patches_.size(); ++i) {
    Patch& patch = patches_[i];
    patch.x /= patch.share;
    patch.y /= patch.share;
    patch.inverse_depth /= patch.share;
    patch.log_depth = -std::log(patch.inverse_depth);
    patch.share /= static_cast<double>(known.size());
  }
}

std::vector<SurfacePatches::Weight> SurfacePatches::fit(const Patch& place, int64_t without) const {
  std::vector<Weight> out;
  std::vector<Eigen::Vector4d> at;
  Eigen::Matrix4d normal = Eigen::Matrix4d::Zero();
  const auto side = static_cast<double>(stride_);
  for (int64_t cell_y = std::max<int64_t>(0, place.cell_y - 1);
       cell_y <= std::min(cells_high_ - 1, place.cell_y + 1); ++cell_y) {
    for (int64_t cell_x = std::max<int64_t>(0, place.cell_x - 1);
         cell_x <= std::min(cells_wide_ - 1, place.cell_x + 1); ++cell_x) {
      const int64_t cell = cell_y * cells_wide_ + cell_x;
      for (int64_t i = first_in_cell_[cell]; i < first_in_cell_[cell + 1]; ++i) {
        const Patch& patch = patches_[i];
        if (i == without || patch.segment != place.segment) continue;
        if (patch.segment == 0 && std::abs(patch.log_depth - place.log_depth) > kDepthReach)
          continue;
        const double dx = (patch.x - place.x) / side;
        const double dy = (patch.y - place.y) / side;
        const double weight = patch.share * std::exp(-0.5 * (dx * dx + dy * dy));
        at.emplace_back(1, dx, dy, patch.inverse_depth / place.inverse_depth - 1);
        normal += weight * at.back() * at.back().transpose();
        out.push_back({i, weight});
      }
    }
  }
  if (out.empty()) return out;
  normal.diagonal().tail<3>().array() += kRidge * normal(0, 0);
  const Eigen::Vector4d solved = normal.ldlt().solve(Eigen::Vector4d::UnitX());
  for (size_t k = 0; k < out.size(); ++k) out[k].weight *= at[k].dot(solved);
  return out;
}

void SurfacePatches::factorize() {
  const auto count = static_cast<Eigen::Index>(patches_.size());
  // Sum of squares of sparse rows, gathered as the normal matrix.
  std::vector<Eigen::Triplet<double>> normal;
  const auto add_square = [&](const std::vector<Weight>& line, double importance) {
    for (const auto& [a, wa] : line) {
      for (const auto& [b, wb] : line) normal.emplace_back(a, b, importance * wa * wb);
    }
  };
  for (int64_t cell = 0; cell < cells_high_ * cells_wide_; ++cell) {
    std::vector<Weight> mean;
    for (int64_t i = first_in_cell_[cell]; i < first_in_cell_[cell + 1]; ++i) {
      mean.push_back({i, patches_[i].share});
      normal.emplace_back(i, i, kTied);
      std::vector<Weight> rigid = fit(patches_[i], i);
      if (rigid.empty()) continue;
      for (Weight& weight : rigid) weight.weight = -weight.weight;
      rigid.push_back({i, 1});
      add_square(rigid, kRigid);
    }
    add_square(mean, 1);
  }
  Eigen::SparseMatrix<double> matrix(count, count);
  matrix.setFromTriplets(normal.begin(), normal.end());
  factor_ = std::make_unique<Factor>();
  factor_->of.compute(matrix);
}

void SurfacePatches::fit_pixels() {
  fits_.resize(static_cast<size_t>(height_ * width_));
  tbb::parallel_for(int64_t{0}, height_, [&](int64_t y) {
    for (int64_t x = 0; x < width_; ++x) {
      const int64_t pixel = y * width_ + x;
      if (patch_of_[pixel] < 0) continue;
      Patch place = patches_[patch_of_[pixel]];
      place.x = static_cast<double>(x);
      place.y = static_cast<double>(y);
      place.inverse_depth = inverse_depth_[pixel];
      fits_[pixel] = fit(place, -1);
    }
  });
}

std::vector<double> SurfacePatches::solve(const at::Tensor& coarse) const {
  const auto count = static_cast<Eigen::Index>(patches_.size());
  const int64_t channels = coarse.size(0);
  const int64_t cells = cells_high_ * cells_wide_;
  const float* const v = coarse.data_ptr<float>();
  Eigen::MatrixXd right = Eigen::MatrixXd::Zero(count, channels);
  for (int64_t cell = 0; cell < cells; ++cell) {
    for (int64_t i = first_in_cell_[cell]; i < first_in_cell_[cell + 1]; ++i) {
      for (int64_t c = 0; c < channels; ++c) {
        right(i, c) = (patches_[i].share + kTied) * static_cast<double>(v[c * cells + cell]);
      }
    }
  }
  std::vector<double> values(static_cast<size_t>(count * channels));
  Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
      values.data(), count, channels) = factor_->of.solve(right);
  return values;
}

void SurfacePatches::row(int64_t y, const std::vector<double>& values,
                         std::vector<double>& out) const {
  const int64_t channels =
      static_cast<int64_t>(values.size() / std::max<size_t>(1, patches_.size()));
  std::fill(out.begin(), out.end(), 0.0);
  for (int64_t x = 0; x < width_; ++x) {
    for (const auto& [patch, weight] : fits_[y * width_ + x]) {
      for (int64_t c = 0; c < channels; ++c) {
        out[c * width_ + x] += weight * values[patch * channels + c];
      }
    }
  }
}
