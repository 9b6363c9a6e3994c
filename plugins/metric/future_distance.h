// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/clones.h>

#include <array>
#include <vector>

#include "blocks.h"
#include "futures.h"

namespace momap::metric {

namespace future_distance_detail {

/// Of list a and each of four others; `count` is a multiple of 16. Four at once: one alone waits
/// for its own sums.
MOMAP_CLONES inline std::array<double, 4> squared_distances(
    const float* a, const std::array<const float*, 4>& others, int64_t count) {
  constexpr int64_t kLanes = 16;
  const float *b = others[0], *c = others[1], *d = others[2], *e = others[3];
  std::array<float, kLanes> to_b{}, to_c{}, to_d{}, to_e{};
  for (int64_t j = 0; j < count; j += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const float x = a[j + l];
      const float db = x - b[j + l], dc = x - c[j + l], dd = x - d[j + l], de = x - e[j + l];
      to_b[l] += db * db;
      to_c[l] += dc * dc;
      to_d[l] += dd * dd;
      to_e[l] += de * de;
    }
  }
  std::array<double, 4> sums{};
  for (int64_t l = 0; l < kLanes; ++l) {
    sums[0] += to_b[l];
    sums[1] += to_c[l];
    sums[2] += to_d[l];
    sums[3] += to_e[l];
  }
  return sums;
}

/// Adds truth values to counts.
MOMAP_CLONES inline void add(const bool* values, int64_t count, int16_t* counts) {
  for (int64_t j = 0; j < count; ++j) counts[j] = static_cast<int16_t>(counts[j] + values[j]);
}

/// weight (from - origin); 0 where the weight is, whatever stands there.
MOMAP_CLONES inline void weighted_offsets(const float* from, const float* origin,
                                          const float* weight, int64_t count, float* out) {
  for (int64_t j = 0; j < count; ++j) {
    out[j] = weight[j] > 0 ? weight[j] * (from[j] - origin[j]) : 0.0f;
  }
}

}  // namespace future_distance_detail

/// Distances between whole futures: the root of the weighted mean squared distance of points over
/// the frames after frame 0, metres.
///
/// A point's weight is the share of true futures that see it, the same for every pair. This makes
/// it a norm: a mask that changed with the future compared would make scores built on it improper.
/// With one true future it is that future's visibility.
class FutureDistances {
 public:
  enum class Pairs { all, samples_to_truths };

  FutureDistances(const Futures& futures, Pairs pairs, const Context& context)
      : samples_(futures.samples().size()), count_(samples_ + futures.truths().size()) {
    const int64_t later = (futures.frames() - 1) * futures.pixels();
    const auto work = [&](int64_t first, int64_t last) {
      Block block(futures, pairs);
      for (int64_t i = first; i < last; i += kPoints) block.add(i, std::min(last, i + kPoints));
      return block.take();
    };
    const Totals sums =
        sum_over_blocks(later, kPointsATask, context, Totals(count_ * count_ + 1), work);
    weight_ = sums[count_ * count_];
    distances_.resize(count_ * count_);
    for (size_t a = 0; weight_ > 0 && a < count_; ++a) {
      for (size_t b = a + 1; b < count_; ++b) {
        const double sum = sums[a * count_ + b];
        if (!std::isfinite(sum)) futures.refuse_not_finite();
        distances_[a * count_ + b] = distances_[b * count_ + a] = std::sqrt(sum / weight_);
      }
    }
  }

  /// Some point is seen in some true future.
  bool defined() const { return weight_ > 0; }

  double between_samples(size_t k, size_t l) const { return distances_[k * count_ + l]; }
  double to_truth(size_t k, size_t m) const { return distances_[k * count_ + samples_ + m]; }
  double between_truths(size_t m, size_t n) const {
    return distances_[(samples_ + m) * count_ + samples_ + n];
  }

 private:
  static constexpr int64_t kPoints = 512;  // so that all futures' points stay in the L2 cache
  static constexpr int64_t kPointsATask = 32 * kPoints;

  // Sums over some points: squared distances of pairs, and of weights.
  class Block {
   public:
    Block(const Futures& futures, Pairs pairs)
        : futures_(futures),
          pairs_(pairs),
          samples_(futures.samples().size()),
          count_(samples_ + futures.truths().size()),
          sums_(count_ * count_ + 1),
          points_(count_ * 3 * kPoints),
          weight_(3 * kPoints),
          origin_(3 * kPoints),
          seen_(kPoints) {
      const size_t truths = futures.truths().size();
      for (size_t seen = 0; seen <= truths; ++seen) {
        shares_.push_back(static_cast<double>(seen) / static_cast<double>(truths));
        roots_.push_back(static_cast<float>(std::sqrt(shares_.back())));
      }
    }

    // Points first to last of [T - 1, H * W].
    void add(int64_t first, int64_t last) {
      const int64_t pixels = futures_.pixels();
      for (int64_t from = first; from < last;) {  // no further than the end of a frame
        const int64_t t = 1 + from / pixels, i = from % pixels;
        const int64_t n = std::min(last - from, pixels - i);
        if (weigh(t, i, n)) {
          for (size_t a = 0; a < count_; ++a) load(a, t, i, n);
          add_pairs();
        }
        from += n;
      }
    }

    Totals take() { return std::move(sums_); }

   private:
    // Roots of the weights; false when all are 0.
    bool weigh(int64_t t, int64_t i, int64_t n) {
      std::ranges::fill(seen_, int16_t{0});
      for (const Motion& truth : futures_.truths()) {
        future_distance_detail::add(truth.visible_from(t, i), n, seen_.data());
      }
      const float* origin = futures_.truths()[0].at(t, i);
      double sum = 0;
      for (int64_t j = 0; j < n; ++j) {
        if (!futures_.valid(i + j)) seen_[j] = 0;
        sum += shares_[seen_[j]];
        const float root = roots_[seen_[j]];
        for (int64_t c = 3 * j; c < 3 * j + 3; ++c) {
          weight_[c] = root;
          origin_[c] = root > 0 ? origin[c] : 0.0f;
        }
      }
      std::fill(weight_.begin() + 3 * n, weight_.end(), 0.0f);
      std::fill(origin_.begin() + 3 * n, origin_.end(), 0.0f);
      sums_[count_ * count_] += sum;
      return sum > 0;
    }

    // Weighted offsets of future a from true future 0, so that differences keep their precision.
    void load(size_t a, int64_t t, int64_t i, int64_t n) {
      const bool is_sample = a < samples_;
      const Motion& motion = is_sample ? futures_.samples()[a] : futures_.truths()[a - samples_];
      const float* from = motion.at(t, i);
      float* to = &points_[a * 3 * kPoints];
      future_distance_detail::weighted_offsets(from, origin_.data(), weight_.data(), 3 * n, to);
      std::fill(to + 3 * n, to + 3 * kPoints, 0.0f);
      for (int64_t j = 0; is_sample && j < n; ++j) {
        if (motion.valid(i + j) || weight_[3 * j] == 0) continue;
        const float* rest = futures_.sample_at(a, t, i + j);
        for (int64_t c = 3 * j; c < 3 * j + 3; ++c) {
          to[c] = weight_[c] * (rest[c - 3 * j] - origin_[c]);
        }
      }
    }

    void add_pairs() {
      const bool all = pairs_ == Pairs::all;
      for (size_t a = 0; a < (all ? count_ : samples_); ++a) {
        for (size_t b = all ? a + 1 : samples_; b < count_; b += 4) {
          std::array<const float*, 4> others{};
          for (size_t i = 0; i < 4; ++i) others[i] = points(std::min(b + i, count_ - 1));
          const auto sums =
              future_distance_detail::squared_distances(points(a), others, 3 * kPoints);
          for (size_t i = 0; i < std::min<size_t>(4, count_ - b); ++i) {
            sums_[a * count_ + b + i] += sums[i];
          }
        }
      }
    }

    const float* points(size_t future) const { return &points_[future * 3 * kPoints]; }

    const Futures& futures_;
    const Pairs pairs_;
    const size_t samples_, count_;
    Totals sums_;                 // [count, count] and the sum of weights
    std::vector<float> points_;   // [count, points, 3]
    std::vector<float> weight_;   // [points, 3]
    std::vector<float> origin_;   // [points, 3]
    std::vector<int16_t> seen_;   // [points], true futures that see it
    std::vector<double> shares_;  // by number of true futures that see a point: weight
    std::vector<float> roots_;    // and its root
  };

  size_t samples_, count_;
  double weight_ = 0;
  std::vector<double> distances_;  // [count, count], samples first
};

}  // namespace momap::metric
