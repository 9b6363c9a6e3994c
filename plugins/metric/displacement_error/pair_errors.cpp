// SPDX-License-Identifier: Apache-2.0
#include "pair_errors.h"

#include <momap/base/clones.h>

#include "../point_rows.h"

namespace momap::displacement_error {
namespace {

constexpr int64_t kPoints = 256;  // pixels at once: the points of all futures stay in the L2 cache
constexpr int64_t kLanes = 16;  // of float sums, so that loops can run over several points at once
using Lanes = std::array<float, kLanes>;
using Row = std::array<float, kPoints>;

double sum(const Lanes& lanes) {
  double total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

/// The points of one future in one frame.
using Points = metric::PointRows<kPoints>;

/// Which of the points count for a true future: 0 or 1.
struct Masks {
  Row seen{}, moving{}, final{};
  bool any_seen = false, any_moving = false, any_final = false;
};

/// Distances of two futures' points, metres. Of no meaning, even NaN, where points are not valid.
MOMAP_CLONES void distances(const Points& a, const Points& b, Row& out) {
  for (int64_t i = 0; i < kPoints; ++i) {
    const float dx = a.x[i] - b.x[i], dy = a.y[i] - b.y[i], dz = a.z[i] - b.z[i];
    out[i] = std::sqrt(dx * dx + dy * dy + dz * dz);
  }
}

MOMAP_CLONES double weighted_sum(const Row& values, const Row& weights) {
  Lanes lanes{};
  for (int64_t i = 0; i < kPoints; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const float w = weights[i + l];
      lanes[l] += w > 0 ? values[i + l] * w : 0.0f;
    }
  }
  return sum(lanes);
}

struct SeenError {
  double distance, within;  // `within` counts points and thresholds
};

/// Over the points seen.
MOMAP_CLONES SeenError seen_error(const Row& distance, const Row& seen) {
  Lanes total{}, within{};
  for (int64_t i = 0; i < kPoints; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const float d = distance[i + l], w = seen[i + l];
      total[l] += w > 0 ? d : 0.0f;
      float thresholds = 0;
      for (const float threshold : kThresholdsM) thresholds += d <= threshold ? w : 0.0f;
      within[l] += thresholds;
    }
  }
  return {sum(total), sum(within)};
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
        valid_(count_),
        moving_(futures.truths().size()),
        last_seen_(futures.truths().size()),
        result_(samples_, futures.truths().size()) {
    for (int64_t i = 0; i < count_; ++i) valid_[i] = futures.valid(first + i);
    for (size_t m = 0; m < masks_.size(); ++m) {
      const metric::Motion& truth = futures.truths()[m];
      moving_[m].resize(count_);
      last_seen_[m].resize(count_);
      const std::vector<double> peaks = truth.peaks(first, last);
      for (int64_t i = 0; i < count_; ++i) {
        if (valid_[i] == 0) continue;
        moving_[m][i] = peaks[i] >= moving_threshold_m;
        int64_t t = futures.frames() - 1;
        while (t > 0 && !truth.visible(t, first + i)) --t;
        last_seen_[m][i] = static_cast<int32_t>(t);
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
    Masks& masks = masks_[m];  // 0 from count_ on, as they were made
    const bool* visible = futures_.truths()[m].visible_from(t, first_);
    int32_t seen = 0, moving = 0, final = 0;
    for (int64_t i = 0; i < count_; ++i) {
      const int32_t counts = valid_[i] & static_cast<uint8_t>(visible[i]);
      const int32_t moves = counts & moving_[m][i], ends = counts & (last_seen_[m][i] == t);
      masks.seen[i] = static_cast<float>(counts);
      masks.moving[i] = static_cast<float>(moves);
      masks.final[i] = static_cast<float>(ends);
      seen += counts, moving += moves, final += ends;
    }
    masks.any_seen = seen > 0, masks.any_moving = moving > 0, masks.any_final = final > 0;
    PointCount& count = result_.counts[m];
    count.seen += seen, count.moving += moving, count.final += final;
    return masks.any_seen;
  }

  void load(int64_t t) {
    for (size_t a = 0; a < points_.size(); ++a) {
      Points& to = points_[a];
      const bool is_sample = a < samples_;
      const metric::Motion& motion =
          is_sample ? futures_.samples()[a] : futures_.truths()[a - samples_];
      metric::split(motion.at(t, first_), count_, to.x.data(), to.y.data(), to.z.data());
      if (!is_sample) continue;
      for (const int64_t gap : futures_.gaps(a, first_, first_ + count_)) {
        const float* p = futures_.sample_at(a, t, gap);
        to.x[gap - first_] = p[0], to.y[gap - first_] = p[1], to.z[gap - first_] = p[2];
      }
    }
  }

  void add_error(size_t k, size_t m) {
    const Masks& masks = masks_[m];
    PairError& error = result_.errors[k * masks_.size() + m];
    distances(points_[k], points_[samples_ + m], distance_);
    const auto [distance, within] = seen_error(distance_, masks.seen);
    error.distance += distance;
    error.within += within;
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
  std::vector<uint8_t> valid_;                   // [pixels]
  std::vector<std::vector<uint8_t>> moving_;     // [M][pixels]
  std::vector<std::vector<int32_t>> last_seen_;  // [M][pixels], 0 = never after frame 0
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
