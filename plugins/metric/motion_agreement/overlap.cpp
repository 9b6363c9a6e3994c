// SPDX-License-Identifier: Apache-2.0
#include "overlap.h"

#include <momap/base/clones.h>

#include <array>

#include "../point_rows.h"

namespace momap::motion_agreement {
namespace {

constexpr int64_t kPoints = 128;  // pixels at once: the paths of two futures stay in the L2 cache
constexpr int64_t kLanes = 16;  // of float sums, so that loops can run over several points at once
using Lanes = std::array<float, kLanes>;
using Row = std::array<float, kPoints>;

double sum(const Lanes& lanes) {
  double total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

/// One vector for each of the pixels.
using Vectors = metric::PointRows<kPoints>;

/// Displacements from frame 0, 0 where pixels do not count, and their largest squares so far.
MOMAP_CLONES void displace(const Vectors& now, const Vectors& first, const Row& counts,
                           Vectors& out, Row& peak) {
  for (int64_t j = 0; j < kPoints; ++j) {
    const bool keep = counts[j] > 0;
    const float x = keep ? now.x[j] - first.x[j] : 0.0f;
    const float y = keep ? now.y[j] - first.y[j] : 0.0f;
    const float z = keep ? now.z[j] - first.z[j] : 0.0f;
    const float squares = x * x + y * y + z * z;
    out.x[j] = x, out.y[j] = y, out.z[j] = z;
    peak[j] = peak[j] > squares ? peak[j] : squares;
  }
}

MOMAP_CLONES void scaled_sum(const Row& a, const Row& b, const Row& c, float scale, Row& out) {
  for (int64_t j = 0; j < kPoints; ++j) out[j] = scale * (a[j] + b[j] + c[j]);
}

MOMAP_CLONES void subtract(const Row& a, const Row& b, Row& out) {
  for (int64_t j = 0; j < kPoints; ++j) out[j] = a[j] - b[j];
}

/// The motion of a block of pixels in one future.
struct Paths {
  std::vector<Vectors> displacement;  // [T], from frame 0
  std::vector<Vectors> smoothed;      // [T], mean of up to 3 frames
  std::array<bool, kPoints> moves{};

  explicit Paths(int64_t frames) : displacement(frames), smoothed(frames) {}

  // `copy(t, xyz)` writes the positions of the block's pixels in frame t; `counts` says which
  // count.
  template <class Copy>
  void load(int64_t points, const Row& counts, double moving_threshold_m, Copy copy) {
    const auto frames = static_cast<int64_t>(displacement.size());
    std::array<float, 3 * kPoints> xyz{};
    const auto at = [&](int64_t t, Vectors& out) {
      copy(t, xyz.data());
      metric::split(xyz.data(), points, out.x.data(), out.y.data(), out.z.data());
    };
    Vectors first, now;
    at(0, first);
    Row peak{};
    for (int64_t t = 1; t < frames; ++t) {
      at(t, now);
      displace(now, first, counts, displacement[t], peak);
    }
    const auto threshold = static_cast<float>(moving_threshold_m * moving_threshold_m);
    for (int64_t j = 0; j < kPoints; ++j) moves[j] = j < points && peak[j] >= threshold;
    static constexpr Row kNothing{};
    for (int64_t t = 1; t < frames; ++t) {
      const bool last = t + 1 == frames;
      const float share = last ? 0.5f : 1.0f / 3;
      for (const auto row : {&Vectors::x, &Vectors::y, &Vectors::z}) {
        scaled_sum(displacement[t - 1].*row, displacement[t].*row,
                   last ? kNothing : displacement[t + 1].*row, share, smoothed[t].*row);
      }
    }
  }
};

/// Lane sums of |h|, |g|, min, max and aligned over one frame.
struct FrameSums {
  Lanes predicted{}, truth{}, least{}, most{}, aligned{};

  MOMAP_CLONES void add(const Vectors& h, const Vectors& g) {
    for (int64_t j = 0; j < kPoints; j += kLanes) {
      for (int64_t l = 0; l < kLanes; ++l) {
        const float hx = h.x[j + l], hy = h.y[j + l], hz = h.z[j + l];
        const float gx = g.x[j + l], gy = g.y[j + l], gz = g.z[j + l];
        const float length_h = std::sqrt(hx * hx + hy * hy + hz * hz);
        const float length_g = std::sqrt(gx * gx + gy * gy + gz * gz);
        const float dot = hx * gx + hy * gy + hz * gz;
        const float longer = length_h > length_g ? length_h : length_g;
        predicted[l] += length_h;
        truth[l] += length_g;
        least[l] += length_h < length_g ? length_h : length_g;
        most[l] += longer;
        // cos min(|h|, |g|) = h . g / max(|h|, |g|)
        aligned[l] += (dot > 0 ? dot : 0.0f) / (longer > 1e-20f ? longer : 1e-20f);
      }
    }
  }
};

Vectors difference(const Vectors& a, const Vectors& b) {
  Vectors out;
  for (const auto row : {&Vectors::x, &Vectors::y, &Vectors::z}) {
    subtract(a.*row, b.*row, out.*row);
  }
  return out;
}

void add(Overlap& overlap, const Paths& h, const Paths& g, int64_t points) {
  for (size_t t = 1; t < h.smoothed.size(); ++t) {
    FrameSums way, velocity;
    way.add(h.smoothed[t], g.smoothed[t]);
    velocity.add(difference(h.smoothed[t], h.smoothed[t - 1]),
                 difference(g.smoothed[t], g.smoothed[t - 1]));
    overlap.predicted += sum(way.predicted);
    overlap.truth += sum(way.truth);
    overlap.least += sum(way.least);
    overlap.most += sum(way.most);
    overlap.aligned += sum(way.aligned);
    overlap.velocity_most += sum(velocity.most);
    overlap.velocity_aligned += sum(velocity.aligned);
  }
  for (int64_t j = 0; j < points; ++j) {
    overlap.both_move += h.moves[j] && g.moves[j];
    overlap.only_predicted += h.moves[j] && !g.moves[j];
    overlap.only_true += !h.moves[j] && g.moves[j];
  }
}

/// A list of overlaps that adds up element by element.
struct Overlaps {
  std::vector<Overlap> of;

  Overlaps& operator+=(const Overlaps& other) {
    for (size_t k = 0; k < of.size(); ++k) of[k] += other.of[k];
    return *this;
  }
};

}  // namespace

Overlap& Overlap::operator+=(const Overlap& other) {
  predicted += other.predicted;
  truth += other.truth;
  least += other.least;
  most += other.most;
  aligned += other.aligned;
  velocity_most += other.velocity_most;
  velocity_aligned += other.velocity_aligned;
  both_move += other.both_move;
  only_predicted += other.only_predicted;
  only_true += other.only_true;
  return *this;
}

std::vector<Overlap> overlaps(const metric::Futures& futures, const std::vector<size_t>& nearest,
                              double moving_threshold_m, const Context& context) {
  const Overlaps zero{std::vector<Overlap>(futures.samples().size())};
  const auto work = [&](int64_t first, int64_t last) {
    Overlaps sums = zero;
    Paths h(futures.frames()), g(futures.frames());
    Row counts{};
    for (int64_t j = 0; j < last - first; ++j) counts[j] = futures.valid(first + j) ? 1.0f : 0.0f;
    for (size_t m = 0; m < futures.truths().size(); ++m) {
      bool loaded = false;
      for (size_t k = 0; k < nearest.size(); ++k) {
        if (nearest[k] != m) continue;
        if (!loaded) {
          g.load(last - first, counts, moving_threshold_m, [&](int64_t t, float* xyz) {
            std::copy_n(futures.truths()[m].at(t, first), 3 * (last - first), xyz);
          });
          loaded = true;
        }
        h.load(last - first, counts, moving_threshold_m,
               [&](int64_t t, float* xyz) { futures.copy_sample(k, t, first, last, xyz); });
        add(sums.of[k], h, g, last - first);
      }
    }
    return sums;
  };
  return metric::sum_over_blocks(futures.pixels(), kPoints, context, zero, work).of;
}

}  // namespace momap::motion_agreement
