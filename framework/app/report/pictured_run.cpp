// SPDX-License-Identifier: Apache-2.0
#include "pictured_run.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/graph/yaml.h>
#include <momap/run/threads.h>

#include <algorithm>
#include <map>
#include <optional>

#include "run_command.h"

namespace momap {
namespace {

// What a metric looks at: the step that made it and the clip it is compared with, by position.
using Seen = std::map<size_t, std::optional<size_t>>;

std::optional<size_t> clip_at(const Graph& graph, const Step& metric, const std::string& port) {
  for (const auto& input : metric.inputs) {
    if (input.port.name != port || input.from.size() != 1) continue;
    if (graph.steps[input.from[0]].output() == Kind::clip) return input.from[0];
  }
  return std::nullopt;
}

Seen seen_by_metrics(const Graph& graph) {
  Seen seen;
  for (const Step& step : graph.steps) {
    if (step.plugin.stage() != "metric") continue;
    const auto reference = clip_at(graph, step, "reference");
    for (const auto& input : step.inputs) {
      if (input.port.name == "reference") continue;
      for (const size_t from : input.from) {
        const Kind kind = graph.steps[from].output();
        if (kind != Kind::clip && kind != Kind::partial_clip && kind != Kind::momap) continue;
        auto& beside = seen[from];
        if (kind == Kind::clip && !beside) beside = reference;
      }
    }
  }
  return seen;
}

std::string free_name(const Graph& graph, std::string name) {
  while (graph.find(name) >= 0) name += '_';
  return name;
}

}  // namespace

void pictured_run(const std::string& text, int64_t samples, const std::filesystem::path& folder,
                  const Options& options, const Catalog& catalog) {
  const std::string name = "graph of the row";
  const Graph graph = check_graph(parse_yaml(text, name), name, catalog);
  const auto source = std::ranges::find_if(graph.steps, [](const Step& step) {
    return step.plugin.stage() == "source" && step.output() == Kind::clip;
  });
  std::string more;
  for (const auto& [step, reference] : seen_by_metrics(graph)) {
    const Step& shown = graph.steps[step];
    std::string inputs = "value: " + shown.name;
    if (reference) inputs += ", reference: " + graph.steps[*reference].name;
    if (shown.output() == Kind::momap && source != graph.steps.end()) {
      inputs += ", image: " + source->name;
    }
    more += fmt::format("  {}: {{use: output/video, in: {{{}}}}}\n",
                        free_name(graph, "show_" + shown.name), inputs);
  }
  if (more.empty()) return;
  // A graph as YAML ends with its steps.
  const Graph pictured = check_graph(parse_yaml(graph_yaml(graph) + more, name), name, catalog);
  const ThreadBudget budget(options.threads);
  const auto cache = open_cache(options);
  RunOptions run = run_options(options, budget.count(), cache.get());
  run.samples = samples;
  const RecordedRun recorded = recorded_run(pictured, folder, run, cache.get());
  if (recorded.summary.cancelled) throw Cancelled();
}

}  // namespace momap
