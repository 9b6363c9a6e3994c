// SPDX-License-Identifier: Apache-2.0
#include <momap/catalog/describe.h>
#include <momap/graph/graph_schema.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace momap {
namespace {

using nlohmann::ordered_json;

// A value may be a reference instead: `${env:NAME}`, `${share:path}`, `${key.path}`.
const ordered_json kReference{{"type", "string"}, {"pattern", "\\$\\{"}};
const ordered_json kStepName{{"type", "string"}, {"description", "name of a step"}};

// Parameters with an empty default may be written without a value.
ordered_json with_schema(const PluginInfo& plugin) {
  ordered_json schema = ordered_json::parse(describe_json_schema(plugin));
  schema.erase("$schema");
  schema.erase("title");
  for (auto& [name, rule] : schema["properties"].items()) {
    ordered_json open{{"description", rule["description"]}};
    if (rule.contains("default")) open["default"] = rule["default"];
    rule.erase("description");
    rule.erase("default");
    // YAML reads 2024 as a number where a plugin takes text.
    if (rule["type"] == "string" && !rule.contains("enum"))
      rule["type"] = {"string", "number", "boolean"};
    open["anyOf"] = {std::move(rule), kReference, {{"type", "null"}}};
    rule = std::move(open);
  }
  schema["type"] = {"object", "null"};
  return schema;
}

ordered_json list_of_steps() { return {{"type", "array"}, {"items", kStepName}}; }

// `in` is a step, a list of steps in port order, or a mapping from port to step.
ordered_json in_schema(const std::vector<Port>& ports) {
  ordered_json by_name{
      {"type", "object"}, {"properties", ordered_json::object()}, {"additionalProperties", false}};
  ordered_json listed = list_of_steps();
  bool many = false;
  for (const auto& port : ports) {
    ordered_json rule = kStepName;
    if (port.many) rule = {{"anyOf", {kStepName, list_of_steps()}}};
    rule["description"] = port.text();
    by_name["properties"][port.name] = std::move(rule);
    if (!port.optional) by_name["required"].push_back(port.name);
    many = many || port.many;
  }
  if (!many) listed["maxItems"] = ports.size();
  return {{"anyOf", {kStepName, std::move(listed), std::move(by_name)}}};
}

// What holds for steps that use this plugin.
ordered_json rule_for(const PluginInfo& plugin) {
  ordered_json rule{{"properties", {{"with", with_schema(plugin)}}}};
  if (plugin.inputs.empty()) {
    rule["not"] = {{"required", {"in"}}};
  } else if (plugin.stage() != "encoding") {  // one may run backwards, with other inputs
    rule["properties"]["in"] = in_schema(plugin.inputs);
  }
  return {{"if", {{"properties", {{"use", {{"const", plugin.id}}}}}, {"required", {"use"}}}},
          {"then", std::move(rule)}};
}

ordered_json step_schema(const Catalog& catalog) {
  ordered_json ids = ordered_json::array();
  ordered_json rules = ordered_json::array();
  for (const auto& plugin : catalog.plugins()) {
    ids.push_back({{"const", plugin.id}, {"description", plugin.summary}});
    rules.push_back(rule_for(plugin));
  }
  return {
      {"type", "object"},
      {"properties",
       {{"use", {{"description", "plugin, stage/name"}, {"anyOf", std::move(ids)}}},
        {"reverse",
         {{"description", "an encoding step to run backwards, or true beside `use`"},
          {"type", {"string", "boolean"}}}},
        {"in",
         {{"description", "steps whose results flow in"}, {"type", {"string", "array", "object"}}}},
        {"with", {{"description", "parameters of the plugin"}}},
        {"seed", {{"type", "integer"}, {"minimum", 0}}}}},
      {"additionalProperties", false},
      {"anyOf", {{{"required", {"use"}}}, {{"required", {"reverse"}}}}},
      {"allOf", std::move(rules)}};
}

}  // namespace

std::string graph_json_schema(const Catalog& catalog) {
  const ordered_json schema{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "MoMap graph"},
      {"type", "object"},
      {"properties",
       {{"seed",
         {{"description", "everything random derives from it"},
          {"type", "integer"},
          {"minimum", 0}}},
        {"steps",
         {{"description", "the steps by name, in any order"},
          {"type", "object"},
          {"minProperties", 1},
          {"propertyNames", {{"pattern", "^[A-Za-z0-9_-]+$"}}},
          {"additionalProperties", {{"$ref", "#/$defs/step"}}}}},
        {"train", {{"description", "recipe of momap train"}, {"type", "object"}}},
        {"db", {{"description", "recipe of momap db build"}, {"type", "object"}}}}},
      {"required", {"steps"}},
      {"additionalProperties", false},
      {"$defs", {{"step", step_schema(catalog)}}}};
  return schema.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace momap
