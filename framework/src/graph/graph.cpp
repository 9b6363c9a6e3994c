// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/graph/graph.h>
#include <momap/graph/interpolate.h>

#include <algorithm>

namespace momap {

int Graph::find(std::string_view name) const {
  const auto found = std::ranges::find(steps, name, &Step::name);
  return found == steps.end() ? -1 : static_cast<int>(found - steps.begin());
}

std::string graph_dot(const Graph& graph) {
  std::string out = "digraph momap {\n  rankdir=LR;\n  node [shape=box, fontname=sans];\n";
  for (const auto& step : graph.steps) {
    out += fmt::format("  \"{}\" [label=\"{}\\n{}{}\"];\n", step.name, step.name,
                       step.reverse ? "reverse of " : "", step.plugin.id);
  }
  for (const auto& step : graph.steps) {
    for (const auto& input : step.inputs) {
      for (const size_t from : input.from) {
        out += fmt::format("  \"{}\" -> \"{}\" [label=\"{}\"];\n", graph.steps[from].name,
                           step.name, name_of(graph.steps[from].output()));
      }
    }
  }
  return out + "}\n";
}

std::string graph_yaml(const Graph& graph) {
  std::string out = fmt::format("seed: {}\nsteps:\n", graph.seed);
  for (const auto& step : graph.steps) {
    out += fmt::format("  {}:\n", step.name);
    out += step.shares >= 0 ? fmt::format("    reverse: {}\n",
                                          graph.steps[static_cast<size_t>(step.shares)].name)
                            : fmt::format("    use: {}\n{}", step.plugin.id,
                                          step.reverse ? "    reverse: true\n" : "");
    std::vector<std::string> inputs;
    for (const auto& input : step.inputs) {
      std::vector<std::string> names;
      for (const size_t from : input.from) names.push_back(graph.steps[from].name);
      if (names.empty()) continue;
      inputs.push_back(fmt::format("{}: {}", input.port.name,
                                   input.port.many ? "[" + join(names, ", ") + "]" : names[0]));
    }
    if (!inputs.empty()) out += fmt::format("    in: {{{}}}\n", join(inputs, ", "));
    if (step.seed != derived_seed(graph.seed, step.name))
      out += fmt::format("    seed: {}\n", step.seed);
    if (step.shares >= 0 || step.params.empty()) continue;
    out += "    with:\n";
    for (const auto& [name, value] : step.params) {
      const auto* text = std::get_if<std::string>(&value);
      out += fmt::format("      {}: {}\n", name,
                         text ? yaml_text(as_reference(*text)) : yaml_text(value));
    }
  }
  return out;
}

}  // namespace momap
