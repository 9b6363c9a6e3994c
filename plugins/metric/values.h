// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/score.h>

#include <string>
#include <utility>

// How the values of metrics are declared and filled in.

namespace momap::metric {

/// An error: lower is better, without limit.
inline ScoreValue error(std::string name, std::string unit) {
  return {std::move(name), std::move(unit), Direction::lower_is_better, std::nullopt, ""};
}

/// An error that cannot exceed `worst`.
inline ScoreValue error(std::string name, std::string unit, double worst) {
  ScoreValue value = error(std::move(name), std::move(unit));
  value.worst = worst;
  return value;
}

/// A share of 0 to 1, higher is better.
inline ScoreValue share(std::string name) {
  ScoreValue value{std::move(name), "", Direction::higher_is_better, std::nullopt, ""};
  value.worst = 0;
  return value;
}

inline ScoreValue defined(ScoreValue declared, double value) {
  declared.value = value;
  return declared;
}

inline ScoreValue undefined(ScoreValue declared, std::string reason) {
  declared.undefined_reason = std::move(reason);
  return declared;
}

/// sum / count, or undefined for this reason when nothing was counted.
inline ScoreValue mean(ScoreValue declared, double sum, double count, const std::string& reason) {
  return count > 0 ? defined(std::move(declared), sum / count)
                   : undefined(std::move(declared), reason);
}

}  // namespace momap::metric
