// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/datum.h>
#include <momap/graph/graph.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace momap {

/// Computes single samples of a graph when they are asked for, in any order and from several
/// threads at once, each on the calling thread. Nothing is cached.
class SingleSamples {
 public:
  /// `wanted` are the steps whose outputs are asked for; only what they need is computed.
  SingleSamples(const Graph& graph, std::vector<size_t> wanted);
  ~SingleSamples();

  int64_t size() const;

  /// What the wanted outputs of sample i depend on, as a hash, and the sample's name.
  std::string key(int64_t i) const;
  std::string name(int64_t i) const;

  /// The wanted outputs, once for each of `futures`: those true futures of the sources' clips in
  /// the place of the first, with their captions. Throws DataError, also where a clip has fewer.
  std::vector<std::vector<Data>> compute(int64_t i, int64_t futures,
                                         const std::function<bool()>* cancelled) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace momap
