// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>

namespace momap::metric {

/// The displacement from which a point counts as moving where no other is asked for, metres.
inline constexpr double kMovingThreshold = 0.02;

/// The parameter `moving_threshold_m` of the metrics that tell moving points from static ones.
template <class Params>
auto moving_threshold(double Params::*field) {
  return param("moving_threshold_m", field,
               "A point whose displacement from frame 0 reaches this, in truth where there is one, "
               "is moving; others are static.")
      .unit("m")
      .above(0);
}

}  // namespace momap::metric
