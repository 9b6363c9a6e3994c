// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace momap {

enum class Direction { higher_is_better, lower_is_better };

/// One named number. An undefined value (empty mask, too few points) says why; it is never reported
/// as 0.
struct ScoreValue {
  std::string name;  ///< "psnr_covered"
  std::string unit;  ///< "dB", "m", "" for a ratio
  Direction direction = Direction::higher_is_better;
  std::optional<double> value;
  std::string undefined_reason;  ///< set when `value` is not
};

/// What one metric says of one sample.
struct Score {
  std::vector<ScoreValue> values;
};

}  // namespace momap
