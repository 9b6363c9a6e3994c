// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/bootstrap.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "finished_run.h"

namespace momap {

/// A key of the graph, or a library or host, that is not the same in two runs; "" = absent.
struct Difference {
  std::string what;
  std::string a;
  std::string b;
};

/// One score of two runs, paired sample by sample.
struct PairedScore {
  enum class Verdict { a_better, b_better, tied, unknown };

  std::string step;
  std::string name;
  std::string unit;
  bool higher_is_better = true;
  std::optional<double> a;  ///< mean over the pairs
  std::optional<double> b;
  std::optional<double> difference;  ///< mean of B - A over the pairs
  std::optional<Interval> interval;  ///< of it, 95 %; nothing for fewer than two pairs
  int64_t pairs = 0;                 ///< samples that count
  int64_t unpaired = 0;              ///< samples with a value in one run only
  std::string refusal;               ///< why the two are not compared; "" = they are

  /// Tied when the interval holds 0; unknown without an interval.
  Verdict verdict() const;
};

struct StepCost {
  std::string step;
  double a_seconds = 0;  ///< a sample
  double b_seconds = 0;
};

struct Comparison {
  std::vector<Difference> settings;
  std::vector<Difference> surroundings;
  std::vector<PairedScore> scores;
  std::vector<PairedScore> pooled;  ///< of all samples together: without interval
  std::vector<StepCost> costs;      ///< of steps that both runs computed for every sample
};

/// Compares two runs. Throws ConfigError when their data sets have different versions, or when no
/// score can be compared.
Comparison compare_runs(const FinishedRun& a, const FinishedRun& b);

std::string comparison_text(const FinishedRun& a, const FinishedRun& b, const Comparison& result);
std::string comparison_json(const FinishedRun& a, const FinishedRun& b, const Comparison& result);

}  // namespace momap
