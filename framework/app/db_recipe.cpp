// SPDX-License-Identifier: Apache-2.0
#include "db_recipe.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/graph/yaml.h>
#include <momap/run/identity.h>

#include <algorithm>

#include "recipe_roots.h"

namespace momap {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Name of the step that reads source/clips; "" = there is none.
std::string list_step(const Config& yaml) {
  const Config* steps = yaml.find("steps");
  if (!steps || !steps->is_map()) return "";
  for (const auto& entry : steps->entries()) {
    const Config* use = entry.value.is_map() ? entry.value.find("use") : nullptr;
    if (use && use->is_scalar() && use->text() == "source/clips") return entry.key;
  }
  return "";
}

// Reads the options of one struct out of values checked against a joined schema.
template <class Struct>
void take(const ParamValues& values, size_t& position, Struct& out) {
  const auto count = schema_of<Struct>().size();
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(position);
  out = from_values<Struct>({begin, begin + static_cast<std::ptrdiff_t>(count)});
  position += count;
}

}  // namespace

DatabaseRecipe read_recipe(const Options& options, const Catalog& catalog, const fs::path& list) {
  GraphOptions graph_options;
  const std::string step = list_step(read_yaml(options.graph));
  if (!step.empty()) {
    graph_options.overrides.push_back(
        fmt::format("{}.with.path={}", step, yaml_text(list.string())));
  }
  graph_options.overrides.insert(graph_options.overrides.end(), options.set.begin(),
                                 options.set.end());
  graph_options.extension = "db";
  graph_options.roots = kDatabaseRoots;
  if (step.empty() != options.inputs.empty()) {
    throw ConfigError(
        step.empty()
            ? "videos are named, but no step of the recipe uses source/clips, which would read them"
            : "the recipe reads source/clips: name the videos, folders or lists to take clips "
              "from");
  }
  DatabaseRecipe recipe;
  recipe.graph = read_graph(options.graph, catalog, graph_options);
  recipe.from_list = !step.empty();
  const Config section = recipe.graph.extension;
  Problems problems;
  if (!section.is_map()) {
    problems.add({options.graph, 1, 1}, "a recipe for a database needs a 'db' section",
                 "for example  db: {clip: depth, momap: extract, codec: lossless}");
    problems.throw_if_any();
  }
  const auto step_named = [&](const char* key, Kind kind) {
    const Config* name = section.find(key);
    const int found = name && name->is_scalar() ? recipe.graph.find(name->text()) : -1;
    if (found < 0 || recipe.graph.steps[static_cast<size_t>(found)].output() != kind) {
      problems.add(name ? name->mark() : section.mark(),
                   fmt::format("db: '{}' = {} is not a step that gives a {}", key,
                               name ? printable(name->describe()) : "nothing", name_of(kind)));
    }
    return found;
  };
  recipe.clip = static_cast<size_t>(std::max(0, step_named("clip", Kind::clip)));
  if (section.find("momap")) recipe.momap = step_named("momap", Kind::momap);
  std::vector<Config::Entry> rest;
  for (const auto& entry : section.entries()) {
    if (entry.key != "clip" && entry.key != "momap") rest.push_back(entry);
  }
  ParamSchema schema = schema_of<KeepOptions>();
  for (const auto& more :
       {schema_of<StorageOptions>(), schema_of<ScanOptions>(), schema_of<QualityOptions>()}) {
    schema.insert(schema.end(), more.begin(), more.end());
  }
  const auto values = check_params(schema, Config::map(rest, section.mark()), "db", "", problems);
  problems.throw_if_any();
  for (const auto& [name, value] : values) recipe.section[name] = yaml_text(value);
  recipe.section["clip"] = recipe.graph.steps[recipe.clip].name;
  if (recipe.momap >= 0) {
    recipe.section["momap"] = recipe.graph.steps[static_cast<size_t>(recipe.momap)].name;
  }
  size_t position = 0;
  take(values, position, recipe.keep);
  take(values, position, recipe.storage);
  take(values, position, recipe.scan);
  take(values, position, recipe.quality);
  return recipe;
}

std::string provenance_of(const DatabaseRecipe& recipe) {
  json plugins = json::array();
  for (const auto& step : recipe.graph.steps) {
    const StepIdentity identity = static_identity(step);
    plugins.push_back({{"step", step.name},
                       {"plugin", identity.plugin},
                       {"version", identity.version},
                       {"library", identity.library}});
  }
  return json{{"momap", MOMAP_VERSION},
              {"graph", graph_yaml(recipe.graph)},
              {"db", recipe.section},
              {"plugins", plugins},
              {"seed", recipe.graph.seed}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace momap
