// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/condition.h>

#include <cstdint>
#include <memory>
#include <vector>

/// Brings a coarse grid, whose cells hold the mean over their pixels, to full resolution by finding
/// out what each surface in a cell has to do with it.
///
/// A patch is the pixels of one surface in one cell: of one segment, or of background of like
/// depth. The mean of a cell is that of its patches by their share of pixels, which the condition
/// tells; the patches are the least-squares solution of that under the assumption that each surface
/// moves, nearly, as a rigid body. Displacement over depth of a rigid body is affine in x, y and
/// inverse depth, so a patch should be what an affine fit to the patches around it says. Pixels
/// take the value at their place of such a fit.
/// All that depends on the condition alone is computed once, so many latents of one scene are
/// cheap.
class SurfacePatches {
 public:
  SurfacePatches(const momap::Condition& condition, int64_t stride);
  ~SurfacePatches();

  /// coarse f32 [C, h, w], h = ceil(H / stride) -> the patches' values f64 [P, C].
  std::vector<double> solve(const at::Tensor& coarse) const;

  /// Row y at full resolution from the patches' values, into `out`, f64 [C, W]; pixels of unknown
  /// depth get 0.
  void row(int64_t y, const std::vector<double>& values, std::vector<double>& out) const;

 private:
  struct Patch {
    int64_t cell_y, cell_x;
    int32_t segment;
    double share;                           // of the cell's known pixels
    double x, y, inverse_depth, log_depth;  // means
  };
  struct Weight {
    int64_t patch;
    double weight;
  };

  void split_cell(int64_t cell_y, int64_t cell_x);
  void factorize();
  void fit_pixels();
  /// Weights, which sum to 1, of the affine fit to the patches of a surface around a place, read
  /// there. `without` is left out. Empty when there is none.
  std::vector<Weight> fit(const Patch& place, int64_t without) const;

  std::vector<float> inverse_depth_;  // [H, W], 0 = unknown
  std::vector<int32_t> segment_;      // [H, W], 0 everywhere without segments
  std::vector<int64_t> patch_of_;     // [H, W], -1 = unknown depth
  std::vector<Patch> patches_;
  std::vector<int64_t> first_in_cell_;  // [h w + 1], into patches_
  struct Factor;
  std::unique_ptr<Factor> factor_;         // of the least-squares problem
  std::vector<std::vector<Weight>> fits_;  // [H W], of each pixel
  int64_t stride_;
  int64_t height_;
  int64_t width_;
  int64_t cells_high_;
  int64_t cells_wide_;
};
