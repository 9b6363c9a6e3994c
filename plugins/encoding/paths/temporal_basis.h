// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace momap::encoding {

/// Curves over time, orthonormal or zero; the same for x, y and z.
struct TemporalBasis {
  int64_t curves = 0;          // K
  int64_t frames = 0;          // T
  std::vector<double> values;  // [K, T]

  double at(int64_t curve, int64_t frame) const { return values[curve * frames + frame]; }
};

/// Orthonormal DCT-II; curves past the number of frames are zero, so that short clips have the
/// same channels as long ones.
TemporalBasis cosines(int64_t curves, int64_t frames);

/// A curve for each frame, 1 there; those past the number of frames are zero.
TemporalBasis instants(int64_t curves, int64_t frames);

}  // namespace momap::encoding
