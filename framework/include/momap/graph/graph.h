// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>
#include <momap/catalog/catalog.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace momap {

/// One checked step. Steps refer to each other by position in `Graph::steps`.
struct Step {
  /// What flows into one port; `from` is empty for an optional port that is left open.
  struct Input {
    Port port;
    std::vector<size_t> from;  ///< one producer; several only for a `many` port
  };

  std::string name;
  Mark mark;
  PluginInfo plugin;
  ParamValues params;         ///< complete and checked
  std::vector<Input> inputs;  ///< in port order
  bool reverse = false;       ///< an encoding run backwards
  int shares = -1;            ///< for `reverse: step`, the encoding step whose object it runs
  uint64_t seed = 0;          ///< of the step; calls derive theirs from it and the sample

  Kind output() const { return reverse ? Kind::momap : plugin.output(); }
};

/// A checked experiment: steps in an order in which each comes after its inputs.
struct Graph {
  std::filesystem::path file;
  uint64_t seed = 0;
  std::vector<Step> steps;
  Config extension;  ///< the section named by `GraphOptions::extension`, unchecked

  /// Position of a step by name, or -1.
  int find(std::string_view name) const;
};

struct GraphOptions {
  std::vector<std::string> overrides;  ///< "warp.with.radius=2", "seed=3"
  std::string extension;               ///< one more top-level section that is allowed ("train")
  /// Keys of that section that name a step, or map steps to steps: those count as used.
  std::vector<std::string> roots;
};

/// Reads and checks a whole graph; nothing is loaded or run. Throws ConfigError with all problems,
/// each with file:line:col, caret and, for a misspelt name, the nearest known one.
Graph read_graph(const std::filesystem::path& file, const Catalog& catalog,
                 const GraphOptions& options = {});

/// The same for text already parsed.
Graph check_graph(Config yaml, const std::filesystem::path& file, const Catalog& catalog,
                  const GraphOptions& options = {});

/// Graphviz text with kinds on the edges.
std::string graph_dot(const Graph& graph);

/// The graph as YAML with every parameter spelled out; reading it gives the same graph.
std::string graph_yaml(const Graph& graph);

}  // namespace momap
