// SPDX-License-Identifier: Apache-2.0
#include "temporal_basis.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace momap::encoding {

TemporalBasis cosines(int64_t curves, int64_t frames) {
  TemporalBasis basis{curves, frames, std::vector<double>(static_cast<size_t>(curves * frames))};
  const auto n = static_cast<double>(frames);
  for (int64_t k = 0; k < std::min(curves, frames); ++k) {
    const double norm = std::sqrt((k == 0 ? 1.0 : 2.0) / n);
    for (int64_t t = 0; t < frames; ++t) {
      const double turn = (static_cast<double>(t) + 0.5) * static_cast<double>(k) / n;
      basis.values[k * frames + t] = norm * std::cos(std::numbers::pi * turn);
    }
  }
  return basis;
}

TemporalBasis instants(int64_t curves, int64_t frames) {
  TemporalBasis basis{curves, frames, std::vector<double>(static_cast<size_t>(curves * frames))};
  for (int64_t k = 0; k < std::min(curves, frames); ++k) basis.values[k * frames + k] = 1;
  return basis;
}

}  // namespace momap::encoding
