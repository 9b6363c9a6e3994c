// SPDX-License-Identifier: Apache-2.0
#include "motion_histogram.h"

#include <array>
#include <numbers>

namespace momap::fvmd {
namespace {

constexpr double kReferenceWidth = 256;  // px
constexpr int64_t kCells = kGrid / 5;    // of a cube, across and down

struct Vector {
  double x = 0, y = 0;

  Vector operator-(const Vector& other) const { return {x - other.x, y - other.y}; }
};

/// Pixel under point g of `kGrid` along a side.
int64_t pixel_of(int64_t g, int64_t size) {
  return std::min(size - 1, (2 * g + 1) * size / (2 * kGrid));
}

/// Eighths of the full turn, from -pi.
int64_t bin_of(const Vector& v) {
  const double turn = (std::atan2(v.y, v.x) + std::numbers::pi) / (2 * std::numbers::pi);
  return std::min<int64_t>(7, static_cast<int64_t>(8 * turn));
}

}  // namespace

metric::Features motion_histograms(const metric::Futures& futures, const PositionAt& at) {
  const int64_t frames = futures.frames();
  const int64_t windows = frames < kWindow ? 0 : (frames - kWindow) / kStride + 1;
  metric::Features features = metric::Features::Zero(windows, kFeatures);
  const Camera& camera = futures.truths()[0].camera();
  const double scale = kReferenceWidth / static_cast<double>(futures.width());
  std::vector<Vector> path(frames);
  std::vector<char> seen(frames);
  for (int64_t gy = 0; gy < kGrid; ++gy) {
    for (int64_t gx = 0; gx < kGrid; ++gx) {
      const int64_t pixel =
          pixel_of(gy, futures.height()) * futures.width() + pixel_of(gx, futures.width());
      for (int64_t t = 0; t < frames; ++t) {
        const float* p = at(t, pixel);
        if (p && !std::isfinite(p[0] + p[1] + p[2])) futures.refuse_not_finite();
        seen[t] = p && p[2] > 0;
        if (seen[t]) path[t] = {scale * camera.fx * p[0] / p[2], scale * camera.fy * p[1] / p[2]};
      }
      for (int64_t w = 0; w < windows; ++w) {
        const int64_t first = w * kStride;
        // As published, both start at 0: the first frame has no velocity, and no acceleration.
        Vector before;
        for (int64_t t = 1; t < kWindow; ++t) {
          const bool counts = seen[first + t] && seen[first + t - 1];
          const Vector velocity = counts ? path[first + t] - path[first + t - 1] : Vector();
          const std::array<Vector, 2> of{velocity, velocity - before};
          before = velocity;
          for (int64_t kind = 0; counts && kind < 2; ++kind) {
            const int64_t cube =
                ((kind * (kWindow / 4) + t / 4) * kCells + gy / 5) * kCells + gx / 5;
            features(w, 8 * cube + bin_of(of[kind])) += std::hypot(of[kind].x, of[kind].y);
          }
        }
      }
    }
  }
  return features;
}

}  // namespace momap::fvmd
