// SPDX-License-Identifier: Apache-2.0
#include <momap/catalog/catalog.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "param_json.h"

namespace momap {
namespace {

using nlohmann::json;

json to_json(const PluginInfo& plugin) {
  json params = json::array();
  for (const auto& info : plugin.params) params.push_back(param_to_json(info));
  std::vector<std::string> inputs;
  for (const auto& port : plugin.inputs) inputs.push_back(port.text());
  return {{"id", plugin.id},
          {"version", plugin.version},
          {"summary", plugin.summary},
          {"inputs", inputs},
          {"concurrency", static_cast<uint32_t>(plugin.concurrency)},
          {"uses_seed", plugin.uses_seed},
          {"params", std::move(params)},
          {"library", plugin.library.native()},
          {"hash", plugin.library_hash}};
}

PluginInfo plugin_from_json(const json& j) {
  PluginInfo plugin;
  plugin.id = j.at("id").get<std::string>();
  plugin.version = j.at("version").get<uint32_t>();
  plugin.summary = j.at("summary").get<std::string>();
  for (const auto& port : j.at("inputs")) {
    plugin.inputs.push_back(parse_ports(port.get<std::string>()).at(0));
  }
  plugin.concurrency = static_cast<Concurrency>(j.at("concurrency").get<uint32_t>());
  plugin.uses_seed = j.at("uses_seed").get<bool>();
  for (const auto& info : j.at("params")) plugin.params.push_back(param_from_json(info));
  plugin.library = j.at("library").get<std::string>();
  plugin.library_hash = j.at("hash").get<std::string>();
  return plugin;
}

}  // namespace

std::string reports_to_json(const std::vector<LibraryReport>& reports) {
  json out = json::array();
  for (const auto& report : reports) {
    json plugins = json::array();
    for (const auto& plugin : report.plugins) plugins.push_back(to_json(plugin));
    json problems = json::array();
    for (const auto& problem : report.problems) {
      problems.push_back({{"path", problem.path.native()},
                          {"reason", problem.reason},
                          {"remedy", problem.remedy}});
    }
    out.push_back({{"plugins", std::move(plugins)}, {"problems", std::move(problems)}});
  }
  return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::vector<LibraryReport> reports_from_json(const std::string& text) {
  std::vector<LibraryReport> reports;
  for (const auto& j : json::parse(text)) {
    LibraryReport report;
    for (const auto& plugin : j.at("plugins")) report.plugins.push_back(plugin_from_json(plugin));
    for (const auto& problem : j.at("problems")) {
      report.problems.push_back({problem.at("path").get<std::string>(),
                                 problem.at("reason").get<std::string>(),
                                 problem.at("remedy").get<std::string>()});
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace momap
