// SPDX-License-Identifier: Apache-2.0
#include "step_objects.h"

#include <fmt/format.h>

#include <map>

namespace momap {

StepObjects::StepObjects(const Graph& graph) : graph_(graph) {
  std::map<std::filesystem::path, std::shared_ptr<PluginLibrary>> libraries;
  for (size_t i = 0; i < graph.steps.size(); ++i) {
    const Step& step = graph.steps[i];
    if (step.shares >= 0) {
      objects_.push_back(objects_.at(static_cast<size_t>(step.shares)));
    } else {
      auto& library = libraries[step.plugin.library];
      if (!library) library = PluginLibrary::open(step.plugin.library);
      try {
        objects_.push_back(library->make_stage(step.plugin.id, step.params));
      } catch (const std::exception& e) {
        Problems problems;
        problems.add(step.mark,
                     fmt::format("step '{}' ({}): {}", step.name, step.plugin.id, e.what()));
        problems.throw_if_any();
      }
    }
    static_identities_.push_back(static_identity(step));
    if (step.plugin.stage() == "source") sources_.push_back(i);
  }
}

const Backbone* StepObjects::backbone_for(size_t step) const {
  for (const auto& input : graph_.steps[step].inputs) {
    for (const size_t from : input.from) {
      if (graph_.steps[from].output() == Kind::backbone) {
        return static_cast<const Backbone*>(object(from));
      }
    }
  }
  return nullptr;
}

int64_t StepObjects::sample_count() const {
  int64_t count = 1;
  std::string whose;
  for (const size_t step : sources_) {
    const int64_t size = source(step)->size();
    const auto& name = graph_.steps[step].name;
    if (size < 1) {
      throw DataError(fmt::format("step '{}' ({}): the source holds no sample", name,
                                  graph_.steps[step].plugin.id));
    }
    if (size == 1 || size == count) continue;
    if (count > 1) {
      throw ConfigError(
          fmt::format("source '{}' has {} samples and source '{}' {}; sources of one "
                      "graph have the same number or 1",
                      name, size, whose, count));
    }
    count = size;
    whose = name;
  }
  return count;
}

std::string StepObjects::sample_name(int64_t i) const {
  for (const size_t step : sources_) {
    if (source(step)->size() > 1) return source(step)->name(i);
  }
  return sources_.empty() ? "0" : source(sources_[0])->name(0);
}

std::vector<StepIdentity> StepObjects::identities(int64_t i) const {
  std::vector<StepIdentity> all = static_identities_;
  std::vector<std::string> keys;
  const std::string name = sample_name(i);
  for (size_t s = 0; s < all.size(); ++s) {
    const Step& step = graph_.steps[s];
    if (step.plugin.stage() == "source") {
      all[s].content = source(s)->fingerprint(index_in(s, i));
    }
    if (step.plugin.uses_seed) all[s].seed += " " + name;
    for (const auto& input : step.inputs) {
      std::string joined;
      for (const size_t from : input.from) joined += keys[from] + " ";
      all[s].inputs[input.port.name] = joined;
    }
    keys.push_back(all[s].key());
  }
  return all;
}

}  // namespace momap
