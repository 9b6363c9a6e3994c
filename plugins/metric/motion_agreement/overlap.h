// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "../blocks.h"
#include "../futures.h"

namespace momap::motion_agreement {

/// Sums over valid points and frames of a sample's motion h and the true motion g compared with it:
/// displacements from frame 0, smoothed over 3 frames, and velocities, which are their differences.
struct Overlap {
  double predicted = 0, truth = 0;  // sums of |h| and |g|, m
  double least = 0, most = 0;       // sums of min(|h|, |g|) and max(|h|, |g|)
  double aligned = 0;               // sum of [cos(h, g)]+ min(|h|, |g|)
  double velocity_most = 0, velocity_aligned = 0;
  // Pixels that move (unsmoothed displacement reaches the threshold) in both, or in one alone.
  double both_move = 0, only_predicted = 0, only_true = 0;

  Overlap& operator+=(const Overlap& other);
};

/// For each sample k, its overlap with true future `nearest[k]`.
std::vector<Overlap> overlaps(const metric::Futures& futures, const std::vector<size_t>& nearest,
                              double moving_threshold_m, const Context& context);

}  // namespace momap::motion_agreement
