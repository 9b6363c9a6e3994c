// SPDX-License-Identifier: Apache-2.0
#include "front.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/catalog/catalog.h>
#include <momap/catalog/describe.h>
#include <momap/graph/graph.h>
#include <momap/graph/graph_schema.h>
#include <momap/graph/yaml.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>

#include "comparison.h"
#include "completion.h"
#include "doctor.h"
#include "engine_process.h"
#include "finished_run.h"
#include "new_plugin.h"
#include "recipe_roots.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

Catalog catalog_of(const Options& options) {
  return Catalog::read(plugin_folders(options.plugins), describe_by_engine);
}

// Says on stderr what could not be used; true when there was such a thing.
bool report_unusable(const Catalog& catalog) {
  for (const auto& problem : catalog.problems()) {
    fmt::print(stderr, "momap: warning: plugin library not used: {}\n", problem.text());
  }
  for (const auto& [id, files] : catalog.duplicates()) {
    fmt::print(stderr,
               "momap: error: plugin '{}' stands in two libraries: {}; remove or rename one\n", id,
               files);
  }
  return !catalog.problems().empty() || !catalog.duplicates().empty();
}

int list_plugins(const Options& options) {
  const auto catalog = catalog_of(options);
  fmt::print("{}", options.json ? list_json(catalog) : list_text(catalog));
  return report_unusable(catalog) ? kExitConfig : kExitOk;
}

int describe_plugin(const Options& options) {
  const auto catalog = catalog_of(options);
  const PluginInfo* plugin = catalog.find(options.plugin_id);
  if (!plugin) {
    report_unusable(catalog);
    throw ConfigError(fmt::format("no plugin '{}'{}", printable(options.plugin_id),
                                  suggestion(options.plugin_id, catalog.ids())));
  }
  static const std::map<std::string, std::function<std::string(const PluginInfo&)>> kFormats{
      {"text", describe_text},
      {"json", describe_json},
      {"markdown", describe_markdown},
      {"json-schema", describe_json_schema}};
  fmt::print("{}", kFormats.at(options.format)(*plugin));
  return kExitOk;
}

Graph graph_of(const Options& options) {
  GraphOptions graph_options;
  graph_options.overrides = options.set;
  // A recipe of `momap db build`, or one of `momap train`.
  const bool fills_database = read_yaml(options.graph).find("db") != nullptr;
  graph_options.extension = fills_database ? "db" : "train";
  graph_options.roots = fills_database ? kDatabaseRoots : kTrainRoots;
  const auto catalog = catalog_of(options);
  if (!options.quiet) report_unusable(catalog);
  return read_graph(options.graph, catalog, graph_options);
}

int validate(const Options& options) {
  const Graph graph = graph_of(options);
  if (options.verbose) {
    fmt::print("{}", graph_yaml(graph));
  } else if (!options.quiet) {
    fmt::print("{}: {} steps, no problem found\n", printable(options.graph), graph.steps.size());
  }
  return kExitOk;
}

int print_graph(const Options& options) {
  fmt::print("{}", graph_dot(graph_of(options)));
  return kExitOk;
}

// Writes a page per plugin and an index; pages of plugins that are gone are removed.
int write_docs(const Options& options) {
  const auto catalog = catalog_of(options);
  if (report_unusable(catalog)) return kExitConfig;
  const fs::path folder = options.folder;
  std::string index =
      "# Plugins\n\nWritten by `momap plugins docs docs/plugins` from the plugins themselves.\n";
  std::vector<fs::path> pages{folder / "README.md"};
  for (const auto& stage : kStages) {
    const auto ids = catalog.ids(stage.name);
    if (ids.empty()) continue;
    index += fmt::format("\n## {}\n\n{}.\n\n", stage.name, stage.purpose);
    for (const auto& id : ids) {
      const PluginInfo& plugin = *catalog.find(id);
      pages.push_back(folder / (id + ".md"));
      write_file(pages.back(), describe_markdown(plugin));
      index += fmt::format("- [{}]({}.md): {}\n", id, id, plugin.summary);
    }
  }
  write_file(pages[0], index);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const bool stale =
        entry.path().extension() == ".md" && std::ranges::find(pages, entry.path()) == pages.end();
    if (stale) fs::remove(entry.path());
  }
  return kExitOk;
}

int compare(const Options& options) {
  const FinishedRun a = read_finished_run(options.inputs.at(0));
  const FinishedRun b = read_finished_run(options.inputs.at(1));
  const Comparison result = compare_runs(a, b);
  fmt::print("{}", options.json ? comparison_json(a, b, result) : comparison_text(a, b, result));
  return kExitOk;
}

int new_plugin(const Options& options) {
  fmt::print("{}",
             write_new_plugin(options.plugin_id, options.folder.empty() ? "." : options.folder));
  return kExitOk;
}

int doctor(const Options& options) {
  const auto catalog = catalog_of(options);
  const bool sound = print_doctor(options, catalog);
  return report_unusable(catalog) || !sound ? kExitConfig : kExitOk;
}

int print_schema(const Options& options) {
  fmt::print("{}", graph_json_schema(catalog_of(options)));
  return kExitOk;
}

int complete(const Options& options) {
  fmt::print("{}", completions(options.inputs, options));
  return kExitOk;
}

int print_completion_script(const Options& options) {
  fmt::print("{}", completion_script(options.format));
  return kExitOk;
}

int clean(const Options&) {
  std::error_code error;
  const auto removed = fs::remove_all(user_cache_folder(), error);
  if (error) {
    throw ConfigError(
        fmt::format("{}: cannot be removed: {}", shown(user_cache_folder()), error.message()));
  }
  fmt::print("{}: {} files and folders removed\n", shown(user_cache_folder()), removed);
  return kExitOk;
}

using Handler = int (*)(const Options&);
const std::map<std::string, Handler>& handlers() {
  static const std::map<std::string, Handler> kHandlers{{"plugins list", list_plugins},
                                                        {"plugins describe", describe_plugin},
                                                        {"plugins new", new_plugin},
                                                        {"plugins docs", write_docs},
                                                        {"validate", validate},
                                                        {"graph", print_graph},
                                                        {"compare", compare},
                                                        {"doctor", doctor},
                                                        {"schema", print_schema},
                                                        {"complete", complete},
                                                        {"completion", print_completion_script},
                                                        {"clean", clean}};
  return kHandlers;
}

}  // namespace

bool is_front_command(const Options& options) { return handlers().contains(options.command); }

int run_front_command(const Options& options) { return handlers().at(options.command)(options); }

}  // namespace momap
