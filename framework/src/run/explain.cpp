// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/run/executor.h>

#include <nlohmann/json.hpp>

#include "step_objects.h"

namespace momap {
namespace {

using nlohmann::json;

std::filesystem::path memory_of(const Graph& graph, const Cache& cache) {
  const auto path = std::filesystem::weakly_canonical(graph.file).string();
  return cache.folder() / "runs" / (content_hash(path) + ".json");
}

// Step name -> identity at the last run; empty when there was none.
std::map<std::string, StepIdentity> last_run(const Graph& graph, const Cache& cache) {
  std::map<std::string, StepIdentity> out;
  try {
    const json memory = json::parse(read_file(memory_of(graph, cache)));
    for (const auto& [step, text] : memory.items()) {
      out[step] = StepIdentity::from_json(text.get<std::string>());
    }
  } catch (const std::exception&) {
    out.clear();
  }
  return out;
}

}  // namespace

void remember_run(const Graph& graph, const Cache& cache) {
  const auto identities = StepObjects(graph).identities(0);
  json memory;
  for (size_t s = 0; s < identities.size(); ++s)
    memory[graph.steps[s].name] = identities[s].to_json();
  try {
    write_file(memory_of(graph, cache), memory.dump());
  } catch (const ConfigError&) {
    // Without the memory `explain` only knows less.
  }
}

std::vector<StepExplanation> explain_graph(const Graph& graph, const Cache& cache) {
  const auto before = last_run(graph, cache);
  const StepObjects objects(graph);
  const auto now = objects.identities(0);
  std::vector<StepExplanation> out;
  for (size_t s = 0; s < now.size(); ++s) {
    const Step& step = graph.steps[s];
    StepExplanation line{step.name, false, ""};
    const auto old = before.find(step.name);
    const bool always = step.plugin.stage() == "source" || step.output() == Kind::file ||
                        step.output() == Kind::backbone;
    const std::string changed = old == before.end() ? "no earlier run of this graph is known"
                                                    : difference(old->second, now[s]);
    if (always) {
      line.reason = changed.empty() ? "never cached; runs when something needs it"
                                    : fmt::format("never cached; {}", changed);
    } else if (cache.contains(now[s].key())) {
      line.cached = true;
      line.reason = "same plugin, parameters and inputs as before";
    } else {
      line.reason = changed.empty() ? "its entry is gone from the cache" : changed;
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace momap
