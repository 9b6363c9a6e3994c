// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/clones.h>

#include <array>
#include <cstdint>

namespace momap::metric {

/// Up to N points or vectors, coordinate by coordinate, for loops over several at once.
template <int64_t N>
struct PointRows {
  std::array<float, N> x{}, y{}, z{};
};

/// Points that lie one after the other, 3 floats each, into rows.
MOMAP_CLONES inline void split(const float* xyz, int64_t count, float* x, float* y, float* z) {
  for (int64_t i = 0; i < count; ++i) {
    x[i] = xyz[3 * i];
    y[i] = xyz[3 * i + 1];
    z[i] = xyz[3 * i + 2];
  }
}

}  // namespace momap::metric
