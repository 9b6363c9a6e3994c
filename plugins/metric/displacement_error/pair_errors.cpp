// SPDX-License-Identifier: Apache-2.0
#include "pair_errors.h"

namespace momap::displacement_error {
namespace {

constexpr int64_t kPoints = 256;  // pixels at once: the points of all futures stay in the L2 cache
constexpr int64_t kLanes = 8;  // of float sums, so that loops can run over several points at once
using Lanes = std::array<float, kLanes>;
using Row = std::array<float, kPoints>;

double sum(const Lanes& lanes) {
  double total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

/// The points of one future in one frame, coordinate by coordinate.
struct Points {
  Row x, y, z;
};

/// Which of the points count for a true future: 0 or 1.
struct Masks {
  Row seen{}, moving{}, final{};
  bool any_seen = false, any_moving = false, any_final = false;
};

/// Distances of two futures' points, metres.
MOMAP_WIDE_LOOP void distances(const Points& a, const Points& b, Row& out) {
  for (int64_t i = 0; i < kPoints; ++i) {
    const float dx = a.x[i] - b.x[i], dy = a.y[i] - b.y[i], dz = a.z[i] - b.z[i];
    out[i] = std::sqrt(dx * dx + dy * dy + dz * dz);
  }
}

MOMAP_WIDE_LOOP double weighted_sum(const Row& values, const Row& weights) {
  Lanes lanes{};
  for (int64_t i = 0; i < kPoints; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += values[i + l] * weights[i + l];
  }
  return sum(lanes);
}

/// Sum over points and thresholds of the weights of points within the threshold.
MOMAP_WIDE_LOOP double sum_within(const Row& distance, const Row& weights) {
  Lanes lanes{};
  for (int64_t i = 0; i < kPoints; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const float d = distance[i + l], w = weights[i + l];
      lanes[l] += (d <= kThresholdsM[0] ? w : 0.0f) + (d <= kThresholdsM[1] ? w : 0.0f) +
                  (d <= kThresholdsM[2] ? w : 0.0f) + (d <= kThresholdsM[3] ? w : 0.0f) +
                  (d <= kThresholdsM[4] ? w : 0.0f);
    }
  }
  return sum(lanes);
}

/// Works through a block of pixels, frame by frame.
class Block {
 public:
  Block(const metric::Futures& futures, double moving_threshold_m, int64_t first, int64_t last)
      : futures_(futures),
        first_(first),
        count_(last - first),
        samples_(futures.samples().size()),
        points_(samples_ + futures.truths().size()),
        masks_(futures.truths().size()),
        moving_(futures.truths().size()),
        last_seen_(futures.truths().size()),
        result_(samples_, futures.truths().size()) {
    for (size_t m = 0; m < masks_.size(); ++m) {
      const metric::Motion& truth = futures.truths()[m];
      moving_[m].resize(count_);
      last_seen_[m].resize(count_);
      for (int64_t i = 0; i < count_; ++i) {
        if (!futures.valid(first + i)) continue;
        moving_[m][i] = truth.peak(first + i) >= moving_threshold_m;
        int64_t t = futures.frames() - 1;
        while (t > 0 && !truth.visible(t, first + i)) --t;
        last_seen_[m][i] = t;
      }
    }
  }

  PairErrors run() {
    for (int64_t t = 1; t < futures_.frames(); ++t) {
      bool any = false;
      for (size_t m = 0; m < masks_.size(); ++m) any |= mask(t, m);
      if (!any) continue;
      load(t);
      for (size_t k = 0; k < samples_; ++k) {
        for (size_t m = 0; m < masks_.size(); ++m) {
          if (masks_[m].any_seen) add_error(k, m);
        }
      }
      add_spread();
    }
    return std::move(result_);
  }

 private:
  bool mask(int64_t t, size_t m) {
    Masks& masks = masks_[m];
    masks = {};
    const metric::Motion& truth = futures_.truths()[m];
    PointCount& count = result_.counts[m];
    for (int64_t i = 0; i < count_; ++i) {
      if (!futures_.valid(first_ + i) || !truth.visible(t, first_ + i)) continue;
      const bool moving = moving_[m][i] != 0, final = last_seen_[m][i] == t;
      masks.seen[i] = 1;
      masks.moving[i] = moving;
      masks.final[i] = final;
      masks.any_seen = true;
      masks.any_moving |= moving;
      masks.any_final |= final;
      ++count.seen;
      count.moving += moving;
      count.final += final;
    }
    return masks.any_seen;
  }

  void load(int64_t t) {
    for (size_t a = 0; a < points_.size(); ++a) {
      Points& to = points_[a];
      const bool is_sample = a < samples_;
      for (int64_t i = 0; i < count_; ++i) {
        if (!futures_.valid(first_ + i)) {
          to.x[i] = to.y[i] = to.z[i] = 0;
          continue;
        }
        const float* p = is_sample ? futures_.sample_at(a, t, first_ + i)
                                   : futures_.truths()[a - samples_].at(t, first_ + i);
        to.x[i] = p[0], to.y[i] = p[1], to.z[i] = p[2];
      }
      for (auto* values : {&to.x, &to.y, &to.z}) {
        std::fill(values->begin() + count_, values->end(), 0.0f);
      }
    }
  }

  void add_error(size_t k, size_t m) {
    const Masks& masks = masks_[m];
    PairError& error = result_.errors[k * masks_.size() + m];
    distances(points_[k], points_[samples_ + m], distance_);
    error.distance += weighted_sum(distance_, masks.seen);
    error.within += sum_within(distance_, masks.seen);
    if (masks.any_moving) error.moving_distance += weighted_sum(distance_, masks.moving);
    if (masks.any_final) error.final_distance += weighted_sum(distance_, masks.final);
  }

  void add_spread() {
    Row weight{};
    for (const Masks& masks : masks_) {
      for (int64_t i = 0; i < kPoints; ++i) weight[i] += masks.seen[i];
    }
    for (float& share : weight) {
      share /= static_cast<float>(masks_.size());
      result_.weight += share;
    }
    for (size_t k = 0; k < samples_; ++k) {
      for (size_t l = k + 1; l < samples_; ++l) {
        distances(points_[k], points_[l], distance_);
        result_.between_samples += weighted_sum(distance_, weight);
      }
    }
  }

  const metric::Futures& futures_;
  const int64_t first_, count_;
  const size_t samples_;
  std::vector<Points> points_;                   // samples, then true futures
  std::vector<Masks> masks_;                     // [M]
  std::vector<std::vector<uint8_t>> moving_;     // [M][pixels]
  std::vector<std::vector<int64_t>> last_seen_;  // [M][pixels], 0 = never after frame 0
  Row distance_{};
  PairErrors result_;
};

}  // namespace

PairErrors& PairErrors::operator+=(const PairErrors& other) {
  for (size_t i = 0; i < errors.size(); ++i) {
    errors[i].distance += other.errors[i].distance;
    errors[i].moving_distance += other.errors[i].moving_distance;
    errors[i].final_distance += other.errors[i].final_distance;
    errors[i].within += other.errors[i].within;
  }
  for (size_t m = 0; m < counts.size(); ++m) {
    counts[m].seen += other.counts[m].seen;
    counts[m].moving += other.counts[m].moving;
    counts[m].final += other.counts[m].final;
  }
  between_samples += other.between_samples;
  weight += other.weight;
  return *this;
}

PairErrors pair_errors(const metric::Futures& futures, double moving_threshold_m,
                       const Context& context) {
  const PairErrors zero(futures.samples().size(), futures.truths().size());
  PairErrors sums = metric::sum_over_blocks(
      futures.pixels(), kPoints, context, zero, [&](int64_t first, int64_t last) {
        return Block(futures, moving_threshold_m, first, last).run();
      });
  for (size_t k = 0; k < futures.samples().size(); ++k) {
    for (size_t m = 0; m < futures.truths().size(); ++m) {
      if (!std::isfinite(sums.at(k, m).distance)) futures.refuse_not_finite();
    }
  }
  return sums;
}

}  // namespace momap::displacement_error
