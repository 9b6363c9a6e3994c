// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "accumulate.h"

// Differentiable forward warping of coloured points (Niklaus and Liu, Softmax Splatting for Video
// Frame Interpolation, CVPR 2020), as plain functions over arrays. Each point adds its colour I,
// times its weight m, to the four pixels around its position with bilinear shares b:
//   sum: sum b I,   all others: sum b m I / sum b m.

namespace momap::warping {

enum class Blend {
  sum,      ///< no normalisation; the metric is not used
  average,  ///< m = 1
  linear,   ///< m = metric, which must not be negative
  softmax,  ///< m = exp(metric)
};

/// N points. Those whose position is NaN, infinite or beside the image take no part.
struct SplatPoints {
  int64_t count;
  const float* colour;    // [N, 3]
  const float* position;  // [N, 2], px, x before y
  const float* metric;    // [N]; larger = more in front. nullptr for sum and average
};

/// m of points whose highest metric is `highest`: exp(metric - highest), and never below e^-60, so
/// that the normalisation never divides by what rounding made zero.
void softmax_weights(const float* metric, float highest, int64_t count, float* out);

/// A pixel that no point reaches is 0. `sums` [H, W] and `out` [H, W, 3] are written whole, and
/// `weights` [N] gets the m of each point (0: took no part).
void splat_forward(const SplatPoints& points, Blend blend, int64_t height, int64_t width,
                   SplatSums* sums, float* out, float* weights);

/// Gradients of a loss with respect to colour [N, 3], position [N, 2] and metric [N] (may be
/// nullptr), from that with respect to `out`. `sums`, `out` and `weights` are those of the forward
/// pass. At positions where two pixels meet, the position's gradient is the one from the right.
void splat_backward(const SplatPoints& points, Blend blend, int64_t height, int64_t width,
                    const SplatSums* sums, const float* out, const float* weights,
                    const float* out_gradient, float* colour_gradient, float* position_gradient,
                    float* metric_gradient);

}  // namespace momap::warping
