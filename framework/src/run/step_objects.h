// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/graph/graph.h>
#include <momap/plugin/loader.h>
#include <momap/run/identity.h>
#include <momap/stage/backbone.h>
#include <momap/stage/source.h>

#include <memory>
#include <string>
#include <vector>

namespace momap {

/// The plugin objects of a graph, one per step (a decoding step shares its encoder's).
class StepObjects {
 public:
  /// Loads libraries and makes all objects. Throws ConfigError naming the step.
  explicit StepObjects(const Graph& graph);

  Stage* object(size_t step) const { return objects_.at(step).get(); }
  const Backbone* backbone_for(size_t step) const;

  /// Samples of the graph: that of its sources, which must agree or be 1.
  int64_t sample_count() const;

  /// Sample i of the graph as an index into one source: a source of one sample gives it every time.
  int64_t index_in(size_t step, int64_t i) const { return source(step)->size() == 1 ? 0 : i; }

  /// The name of a sample: that of the first source with more than one, else of the first.
  std::string sample_name(int64_t i) const;

  /// Cache keys of all steps for one sample, in step order. Not thread-safe (asks the sources).
  std::vector<StepIdentity> identities(int64_t i) const;

 private:
  Source* source(size_t step) const { return static_cast<Source*>(object(step)); }

  const Graph& graph_;
  std::vector<std::shared_ptr<Stage>> objects_;
  std::vector<StepIdentity> static_identities_;
  std::vector<size_t> sources_;
};

}  // namespace momap
