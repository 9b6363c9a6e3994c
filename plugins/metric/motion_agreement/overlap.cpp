// SPDX-License-Identifier: Apache-2.0
#include "overlap.h"

#include <momap/base/clones.h>

#include <array>

namespace momap::motion_agreement {
namespace {

constexpr int64_t kPoints = 128;  // pixels at once: the paths of two futures stay in the L2 cache
constexpr int64_t kLanes = 8;  // of float sums, so that loops can run over several points at once
using Lanes = std::array<float, kLanes>;
using Row = std::array<float, kPoints>;

double sum(const Lanes& lanes) {
  double total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

/// One vector for each of the pixels.
struct Vectors {
  std::array<Row, 3> of{};
};

/// The motion of a block of pixels in one future.
struct Paths {
  std::vector<Vectors> displacement;  // [T], from frame 0
  std::vector<Vectors> smoothed;      // [T], mean of up to 3 frames
  std::array<bool, kPoints> moves{};

  explicit Paths(int64_t frames) : displacement(frames), smoothed(frames) {}

  // `at(t, j)` is the position of the block's pixel j in frame t, or nullptr where it does not
  // count.
  template <class At>
  void load(int64_t points, double moving_threshold_m, At at) {
    const auto frames = static_cast<int64_t>(displacement.size());
    Row peak{};
    for (int64_t t = 1; t < frames; ++t) {
      Vectors& now = displacement[t];
      for (int64_t j = 0; j < points; ++j) {
        const float *p = at(t, j), *first = at(0, j);
        float squares = 0;
        for (int c = 0; c < 3; ++c) {
          const float d = p ? p[c] - first[c] : 0.0f;
          now.of[c][j] = d;
          squares += d * d;
        }
        peak[j] = std::max(peak[j], squares);
      }
    }
    const auto threshold = static_cast<float>(moving_threshold_m * moving_threshold_m);
    for (int64_t j = 0; j < kPoints; ++j) moves[j] = j < points && peak[j] >= threshold;
    for (int64_t t = 1; t < frames; ++t) {
      const int64_t next = std::min(t + 1, frames - 1);
      const float share = next > t ? 1.0f / 3 : 0.5f;
      for (int c = 0; c < 3; ++c) {
        for (int64_t j = 0; j < kPoints; ++j) {
          const float later = next > t ? displacement[next].of[c][j] : 0.0f;
          smoothed[t].of[c][j] =
              share * (displacement[t - 1].of[c][j] + displacement[t].of[c][j] + later);
        }
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
        const float hx = h.of[0][j + l], hy = h.of[1][j + l], hz = h.of[2][j + l];
        const float gx = g.of[0][j + l], gy = g.of[1][j + l], gz = g.of[2][j + l];
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
  for (int c = 0; c < 3; ++c) {
    for (int64_t j = 0; j < kPoints; ++j) out.of[c][j] = a.of[c][j] - b.of[c][j];
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
    for (size_t m = 0; m < futures.truths().size(); ++m) {
      bool loaded = false;
      for (size_t k = 0; k < nearest.size(); ++k) {
        if (nearest[k] != m) continue;
        if (!loaded) {
          g.load(last - first, moving_threshold_m, [&](int64_t t, int64_t j) {
            return futures.valid(first + j) ? futures.truths()[m].at(t, first + j) : nullptr;
          });
          loaded = true;
        }
        h.load(last - first, moving_threshold_m, [&](int64_t t, int64_t j) {
          return futures.valid(first + j) ? futures.sample_at(k, t, first + j) : nullptr;
        });
        add(sums.of[k], h, g, last - first);
      }
    }
    return sums;
  };
  return metric::sum_over_blocks(futures.pixels(), kPoints, context, zero, work).of;
}

}  // namespace momap::motion_agreement
