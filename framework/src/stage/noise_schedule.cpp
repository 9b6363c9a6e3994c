// SPDX-License-Identifier: Apache-2.0
#include <momap/stage/noise_schedule.h>

#include <cmath>
#include <numbers>

namespace momap {

NoiseLevel cosine_schedule(double t) {
  const double angle = 0.5 * std::numbers::pi * t;
  return {std::cos(angle), std::sin(angle)};
}

}  // namespace momap
