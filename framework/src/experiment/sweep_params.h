// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>

#include <string>
#include <vector>

namespace momap {

/// `sweep: budget:`.
struct Budget {
  int64_t jobs = 0;
  double seconds = 0;
  static auto schema() {
    return std::tuple{
        param("jobs", &Budget::jobs, "At most so many jobs; 0 = all.").at_least(0),
        param("seconds", &Budget::seconds, "No job begins later than this; 0 = without limit.")
            .unit("s")
            .at_least(0)};
  }
};

/// `sweep: halving:`.
struct HalvingParams {
  std::string score;
  std::vector<int64_t> samples;
  double keep = 0.5;
  static auto schema() {
    return std::tuple{param("score", &HalvingParams::score, "What decides, step.name.").required(),
                      param("samples", &HalvingParams::samples, "Samples of each rung, rising."),
                      param("keep", &HalvingParams::keep, "Share that goes on.").above(0).below(1)};
  }
};

}  // namespace momap
