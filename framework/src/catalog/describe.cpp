// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/catalog/describe.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "param_json.h"

namespace momap {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

const char* concurrency_name(Concurrency concurrency) {
  static constexpr std::array kNames{"parallel", "serial", "whole_machine"};
  return kNames.at(static_cast<size_t>(concurrency));
}

std::string inputs_text(const PluginInfo& plugin) {
  std::vector<std::string> texts;
  for (const auto& port : plugin.inputs) texts.push_back(port.text());
  return texts.empty() ? "()" : join(texts, ", ");
}

// "int, px, [1, 8]"
std::string facts(const ParamInfo& info) {
  std::vector<std::string> parts{type_name(info)};
  if (!info.unit.empty()) parts.push_back(info.unit);
  if (const auto rule = rule_text(info); !rule.empty()) parts.push_back(rule);
  if (info.required) parts.emplace_back("required");
  return join(parts, ", ");
}

std::string default_text(const ParamInfo& info) {
  return info.required ? "" : yaml_text(info.default_value);
}

std::string escaped_for_table(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, "\\");
  }
  return text;
}

ordered_json value_schema(const ParamInfo& info) {
  const std::string type = type_name(info);
  const bool is_list = type.starts_with("list of ");
  const std::string item = is_list ? type.substr(8) : type;
  ordered_json rule;
  rule["type"] = item == "bool"   ? "boolean"
                 : item == "int"  ? "integer"
                 : item == "real" ? "number"
                                  : "string";
  if (std::isfinite(info.minimum))
    rule[info.exclusive_minimum ? "exclusiveMinimum" : "minimum"] = info.minimum;
  if (std::isfinite(info.maximum))
    rule[info.exclusive_maximum ? "exclusiveMaximum" : "maximum"] = info.maximum;
  if (!info.choices.empty()) rule["enum"] = info.choices;
  if (is_list) rule = {{"type", "array"}, {"items", rule}};
  rule["description"] =
      info.unit.empty() ? info.help : fmt::format("{} [{}]", info.help, info.unit);
  if (!info.required) rule["default"] = value_to_json(info.default_value);
  return rule;
}

ordered_json to_description(const PluginInfo& plugin) {
  ordered_json params = ordered_json::array();
  for (const auto& info : plugin.params) params.push_back(ordered_json(param_to_json(info)));
  std::vector<std::string> inputs;
  for (const auto& port : plugin.inputs) inputs.push_back(port.text());
  return {{"id", plugin.id},
          {"version", plugin.version},
          {"summary", plugin.summary},
          {"inputs", inputs},
          {"output", name_of(plugin.output())},
          {"concurrency", concurrency_name(plugin.concurrency)},
          {"params", std::move(params)},
          {"library", plugin.library.native()}};
}

std::string dumped(const ordered_json& j) {
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string describe_text(const PluginInfo& plugin) {
  std::string out = fmt::format("{} v{}   {} -> {}   ({})\n  {}\n", plugin.id, plugin.version,
                                inputs_text(plugin), name_of(plugin.output()),
                                concurrency_name(plugin.concurrency), plugin.summary);
  if (!plugin.params.empty()) out += "\n";
  for (const auto& info : plugin.params) {
    out +=
        fmt::format("  {}: {}   # {}. {}\n", info.name, default_text(info), facts(info), info.help);
  }
  return out;
}

std::string describe_json(const PluginInfo& plugin) { return dumped(to_description(plugin)); }

std::string describe_markdown(const PluginInfo& plugin) {
  std::string out =
      fmt::format("# {}\n\n{}\n\n| inputs | output | version | runs |\n|---|---|---|---|\n",
                  plugin.id, plugin.summary);
  out +=
      fmt::format("| `{}` | `{}` | {} | {} |\n", escaped_for_table(inputs_text(plugin)),
                  name_of(plugin.output()), plugin.version, concurrency_name(plugin.concurrency));
  if (plugin.params.empty()) return out + "\nIt has no parameters.\n";
  out += "\n| parameter | default | type | meaning |\n|---|---|---|---|\n";
  for (const auto& info : plugin.params) {
    const auto value = default_text(info);
    out += fmt::format("| `{}` | {} | {} | {}{} |\n", info.name,
                       value.empty() ? "" : fmt::format("`{}`", escaped_for_table(value)),
                       escaped_for_table(facts(info)), escaped_for_table(info.help),
                       info.runtime_only ? " Does not change the result of a sample." : "");
  }
  return out;
}

std::string describe_json_schema(const PluginInfo& plugin) {
  ordered_json properties = ordered_json::object();
  std::vector<std::string> required;
  for (const auto& info : plugin.params) {
    properties[info.name] = value_schema(info);
    if (info.required) required.push_back(info.name);
  }
  ordered_json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                      {"title", plugin.id},
                      {"description", plugin.summary},
                      {"type", "object"},
                      {"properties", std::move(properties)},
                      {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  return dumped(schema);
}

std::string list_text(const Catalog& catalog) {
  std::string out;
  for (const auto& stage : kStages) {
    const auto ids = catalog.ids(stage.name);
    if (ids.empty()) continue;
    out += fmt::format("{} - {}\n", stage.name, stage.purpose);
    for (const auto& id : ids) {
      const PluginInfo* plugin = catalog.find(id);
      out += fmt::format("  {:<26} v{:<3} {}\n", id, plugin->version, plugin->summary);
    }
  }
  return out;
}

std::string list_json(const Catalog& catalog) {
  ordered_json plugins = ordered_json::array();
  for (const auto& plugin : catalog.plugins()) plugins.push_back(to_description(plugin));
  ordered_json problems = ordered_json::array();
  for (const auto& problem : catalog.problems()) {
    problems.push_back(
        {{"path", problem.path.native()}, {"reason", problem.reason}, {"remedy", problem.remedy}});
  }
  return dumped({{"plugins", std::move(plugins)}, {"problems", std::move(problems)}});
}

}  // namespace momap
