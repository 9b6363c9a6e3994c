// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "../frechet_distance.h"
#include "../futures.h"

namespace momap::fvmd {

inline constexpr int64_t kWindow = 16;  // frames of one feature vector
inline constexpr int64_t kStride = 8;   // frames between windows
inline constexpr int64_t kGrid = 20;    // points across and down
inline constexpr int64_t kFeatures =
    2 * (kWindow / 4) * (kGrid / 5) * (kGrid / 5) * 8;  // velocity, acceleration; 8 directions

/// Position of a pixel in a frame, or nullptr where the pixel does not count.
using PositionAt = std::function<const float*(int64_t t, int64_t pixel)>;

/// A row for each window of 16 frames: the projected velocity and acceleration of 20 x 20 points,
/// summed by direction in cubes of 4 frames x 5 x 5 points. Lengths are in px of a picture 256 px
/// wide. A point that is not in front of the camera does not count in that frame.
metric::Features motion_histograms(const metric::Futures& futures, const PositionAt& at);

}  // namespace momap::fvmd
