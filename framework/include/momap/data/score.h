// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <map>
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
  /// The worst the value can be, for entries that give none; infinite = without limit.
  double worst =
      (direction == Direction::lower_is_better ? 1 : -1) * std::numeric_limits<double>::infinity();
  /// Raised when the definition changes: values of different protocols are never compared.
  uint32_t protocol = 1;
};

/// What one metric says of one sample.
struct Score {
  std::vector<ScoreValue> values;
  /// What `Metric::pool` needs of this sample: f32, small. Cached with the values.
  std::map<std::string, at::Tensor> features = {};
};

}  // namespace momap
