// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/score.h>
#include <momap/stage/inputs.h>
#include <momap/stage/stage.h>

#include <memory>

namespace momap {

/// What the samples of a run say together where that is more than the mean of their scores (a
/// Fréchet distance between sets). Its size does not grow with the number of samples.
class ScorePool {
 public:
  virtual ~ScorePool() = default;

  /// Takes in `features` of one score of the metric; called in sample order. Throws DataError when
  /// they do not fit those before.
  virtual void add(const Score& score) = 0;

  virtual Score total() const = 0;
};

/// Scores a result against a reference. Declares its ports: `static constexpr const char* kInputs =
/// "result: clip, ..."`. An undefined value is reported with its reason.
class Metric : public Stage {
 public:
  virtual Score score(const Inputs& inputs, const Context& context) = 0;

  /// A new, empty pool; nullptr (the default) for metrics whose samples stand for themselves.
  virtual std::unique_ptr<ScorePool> pool() const { return nullptr; }
};

}  // namespace momap
