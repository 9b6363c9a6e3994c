// SPDX-License-Identifier: Apache-2.0
#include "splat.h"

#include <momap/base/clones.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "taps.h"

namespace momap::warping {
namespace {

// Four numbers of one pixel; the compiler keeps them in one register.
using Four = float __attribute__((vector_size(16)));

constexpr float kLowestExponent = -60.0f;

/// e^x for x in [-60, 0], to within 3e-7 of its value: only operations that are rounded the same
/// everywhere, so that vectors and single numbers agree.
inline __attribute__((always_inline)) float exponential(float x) {
  // x = n ln 2 + r with |r| <= ln(2) / 2.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t exponent = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  __builtin_memcpy(&power, &exponent, sizeof power);
  return p * power;
}

/// Largest metric of the points that take part; 0 when there is none.
float highest_metric(const SplatPoints& points, int64_t height, int64_t width) {
  float highest = -std::numeric_limits<float>::infinity();
  Taps taps;
  for (int64_t i = 0; i < points.count; ++i) {
    if (points.metric[i] > highest && std::isfinite(points.metric[i]) &&
        taps.find(points.position[2 * i], points.position[2 * i + 1], height, width)) {
      highest = points.metric[i];
    }
  }
  return std::isfinite(highest) ? highest : 0.0f;
}

}  // namespace

MOMAP_CLONES void softmax_weights(const float* metric, float highest, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float below = metric[i] - highest;
    const float exponent = below > kLowestExponent ? below : kLowestExponent;
    out[i] = exponential(exponent < 0 ? exponent : 0.0f);
  }
}

void splat_forward(const SplatPoints& points, Blend blend, int64_t height, int64_t width,
                   SplatSums* sums, float* out, float* weights) {
  if (blend == Blend::softmax) {
    softmax_weights(points.metric, highest_metric(points, height, width), points.count, weights);
  } else if (blend == Blend::linear) {
    std::copy_n(points.metric, points.count, weights);
  } else {
    std::fill_n(weights, points.count, 1.0f);
  }
  Accumulator accumulator(sums, height, width);
  constexpr int64_t kRun = 512;
  std::array<float, kRun> x, y;
  std::array<float, 4 * kRun> colour;
  for (int64_t begin = 0; begin < points.count; begin += kRun) {
    const int64_t count = std::min(kRun, points.count - begin);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t point = begin + i;
      const bool known = !points.metric || std::isfinite(points.metric[point]);
      x[i] = known ? points.position[2 * point] : std::numeric_limits<float>::quiet_NaN();
      y[i] = points.position[2 * point + 1];
      const bool reaches = x[i] > -1 && y[i] > -1 && x[i] < static_cast<float>(width) &&
                           y[i] < static_cast<float>(height);
      if (!reaches) weights[point] = 0;
      for (int c = 0; c < 3; ++c) colour[4 * i + c] = points.colour[3 * point + c];
      colour[4 * i + 3] = 1;
    }
    accumulator.add({count, x.data(), y.data(), weights + begin, colour.data(), nullptr});
  }
  for (int64_t q = 0; q < height * width; ++q) {
    const SplatSums& s = sums[q];
    const float scale = blend == Blend::sum ? 1.0f : s.weight > 0 ? 1.0f / s.weight : 0.0f;
    out[3 * q] = s.red * scale;
    out[3 * q + 1] = s.green * scale;
    out[3 * q + 2] = s.blue * scale;
  }
}

void splat_backward(const SplatPoints& points, Blend blend, int64_t height, int64_t width,
                    const SplatSums* sums, const float* out, const float* weights,
                    const float* out_gradient, float* colour_gradient, float* position_gradient,
                    float* metric_gradient) {
  const int64_t pixels = height * width;
  // Per pixel: the gradient by sum b m I and by sum b m.
  std::vector<Four> by_sums(pixels);
  for (int64_t q = 0; q < pixels; ++q) {
    const float* g = out_gradient + 3 * q;
    const float* o = out + 3 * q;
    const float weight = sums[q].weight;
    const float scale = blend == Blend::sum ? 1.0f : weight > 0 ? 1.0f / weight : 0.0f;
    const float by_weight =
        blend == Blend::sum ? 0.0f : -(g[0] * o[0] + g[1] * o[1] + g[2] * o[2]) * scale;
    by_sums[q] = Four{g[0] * scale, g[1] * scale, g[2] * scale, by_weight};
  }
  Taps taps;
  for (int64_t i = 0; i < points.count; ++i) {
    Four by_colour{0, 0, 0, 0};
    float by_m = 0, by_x = 0, by_y = 0;
    const float m = weights[i];
    const bool known = !points.metric || std::isfinite(points.metric[i]);
    if (known && taps.find(points.position[2 * i], points.position[2 * i + 1], height, width)) {
      const float* c = points.colour + 3 * i;
      const auto along = [&](int corner, float& at_corner) {
        at_corner = 0;
        if (!taps.inside && !taps.has(corner, height, width)) return;
        const Four g = by_sums[taps.at(corner, width)];
        by_colour += g * taps.share(corner);
        at_corner = g[0] * c[0] + g[1] * c[1] + g[2] * c[2] + g[3];
      };
      float e[4];
      for (int corner = 0; corner < 4; ++corner) along(corner, e[corner]);
      const float above = e[0] + taps.right * (e[1] - e[0]);
      const float below = e[2] + taps.right * (e[3] - e[2]);
      by_m = above + taps.down * (below - above);
      by_x = m * ((1 - taps.down) * (e[1] - e[0]) + taps.down * (e[3] - e[2]));
      by_y = m * (below - above);
    }
    for (int k = 0; k < 3; ++k) colour_gradient[3 * i + k] = m * by_colour[k];
    position_gradient[2 * i] = by_x;
    position_gradient[2 * i + 1] = by_y;
    if (metric_gradient) {
      metric_gradient[i] = blend == Blend::softmax  ? m * by_m
                           : blend == Blend::linear ? by_m
                                                    : 0.0f;
    }
  }
}

}  // namespace momap::warping
