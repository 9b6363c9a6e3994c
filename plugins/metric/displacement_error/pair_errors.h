// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "../blocks.h"
#include "../futures.h"

namespace momap::displacement_error {

inline constexpr std::array kThresholdsM{0.01f, 0.02f, 0.05f, 0.10f, 0.20f};

/// Sums over the points of one future that a true future sees after frame 0.
struct PairError {
  double distance = 0;         // m
  double moving_distance = 0;  // ... of points that move in the true future
  double final_distance = 0;   // ... in the last frame in which each is seen
  double within = 0;           // points, once for each threshold that they are within
};

/// How many points a true future has.
struct PointCount {
  double seen = 0, moving = 0, final = 0;
};

/// Errors of all samples against all true futures, and distances between samples.
struct PairErrors {
  std::vector<PairError> errors;   // [K, M]
  std::vector<PointCount> counts;  // [M]
  double between_samples = 0;  // m, sum over pairs k < l of distances weighted by the share of true
                               // futures that see the point
  double weight = 0;           // sum of these shares

  PairErrors(size_t samples, size_t truths) : errors(samples * truths), counts(truths) {}
  PairErrors& operator+=(const PairErrors& other);

  const PairError& at(size_t k, size_t m) const { return errors[k * counts.size() + m]; }
};

PairErrors pair_errors(const metric::Futures& futures, double moving_threshold_m,
                       const Context& context);

}  // namespace momap::displacement_error
