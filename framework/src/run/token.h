// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/datum.h>
#include <momap/graph/graph.h>
#include <momap/run/executor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace momap {

/// One sample on its way through a graph: which steps it needs, which of them have to be computed,
/// what they gave, and what is no longer needed. Not thread-safe.
class Token {
 public:
  Token(const Graph& graph, const RunOptions& options, int64_t index);

  /// Works back from what the run asks for: a step whose output is cached needs none of its inputs.
  /// Returns the steps that have to be computed and were not known to be.
  std::vector<size_t> plan();

  /// Steps whose inputs are there and that were not given out before.
  std::vector<size_t> take_ready();

  /// Takes a step's output and frees the inputs that no further step waits for.
  void finish(size_t step, Data output);

  /// The cached output of a step turned out to be unsound: `plan` decides anew.
  void forget(size_t step) { states_[step] = State::idle; }

  void fail(size_t step, const std::string& reason);

  /// Moves the outputs that the run keeps into `result`.
  void keep_outputs();

  bool computes(size_t step) const { return computed_[step]; }  ///< or loads it from the cache
  bool cacheable(size_t step) const;
  bool failed() const { return !result.failed_step.empty(); }
  bool over() const;  ///< failed, or nothing is left to do
  const Data& output(size_t step) const { return outputs_[step]; }

  const int64_t index;
  std::vector<std::string> keys;  ///< cache keys, by step; empty without a cache
  int in_work = 0;                ///< steps that run now
  SampleResult result;

 private:
  enum class State { idle, given_out, done, released };

  bool is_result(size_t step) const;
  void release_if_unused(size_t producer);

  const Graph& graph_;
  const RunOptions& options_;
  std::vector<State> states_;
  std::vector<bool> wanted_;    // the step's output is needed
  std::vector<bool> computed_;  // ... and is not in the cache
  std::vector<Data> outputs_;
};

}  // namespace momap
