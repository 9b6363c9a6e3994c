// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/graph/yaml.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "plugin_checks.h"

namespace momap::contract {
namespace {

bool is_snake_case(const std::string& name) {
  return !name.empty() && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
         std::ranges::all_of(name, [](unsigned char c) {
           return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
         });
}

// Reads the default back as a user would write it, so that exactly the rules of a graph are
// applied.
std::string default_fault(const ParamInfo& info) {
  Problems problems;
  try {
    const Config with = parse_yaml(info.name + ": " + yaml_text(info.default_value), "default");
    check_params({info}, with, "default", {}, problems);
  } catch (const ConfigError& error) {
    return fmt::format("parameter '{}': its default is not valid YAML: {}", info.name,
                       error.what());
  }
  return problems.empty() ? "" : problems.list()[0].message;
}

}  // namespace

std::vector<std::string> schema_faults(const PluginInfo& plugin) {
  std::vector<std::string> faults;
  const size_t slash = plugin.id.find('/');
  if (slash == std::string::npos || !find_stage(plugin.stage()) ||
      !is_snake_case(plugin.id.substr(slash + 1))) {
    faults.push_back(fmt::format("id '{}' is not 'stage/name' in snake_case", plugin.id));
  }
  if (plugin.version == 0) faults.push_back("version = 0; versions count from 1");
  if (!plugin.summary.ends_with('.')) {
    faults.push_back(fmt::format("summary '{}' is not a sentence", plugin.summary));
  }
  std::set<std::string> names;
  for (const ParamInfo& info : plugin.params) {
    if (!is_snake_case(info.name)) {
      faults.push_back(fmt::format("parameter '{}' is not named in snake_case", info.name));
      continue;
    }
    if (!names.insert(info.name).second) {
      faults.push_back(fmt::format("two parameters are named '{}'", info.name));
    }
    if (info.help.empty()) faults.push_back(fmt::format("parameter '{}' has no help", info.name));
    if (info.required) continue;
    if (std::string fault = default_fault(info); !fault.empty()) faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace momap::contract
