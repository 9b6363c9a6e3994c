// SPDX-License-Identifier: Apache-2.0
#include <momap/catalog/describe.h>
#include <momap/experiment/file_schemas.h>
#include <momap/experiment/job.h>
#include <momap/graph/graph_schema.h>

#include <nlohmann/json.hpp>

#include "axes.h"
#include "board_params.h"
#include "sweep_params.h"

namespace momap {
namespace {

using nlohmann::ordered_json;

std::string dumped(const ordered_json& schema) {
  return schema.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json list_of(const ordered_json& items, int64_t fewest = 0) {
  ordered_json schema{{"type", "array"}, {"items", items}};
  if (fewest > 0) schema["minItems"] = fewest;
  return schema;
}

const ordered_json kScores = list_of({{"type", "string"}, {"description", "step.name"}});

/// A section of declared parameters.
template <class Struct>
ordered_json section(const std::string& description) {
  PluginInfo info;
  info.params = schema_of<Struct>();
  info.summary = description;
  ordered_json schema = ordered_json::parse(describe_json_schema(info));
  schema.erase("$schema");
  schema.erase("title");
  return schema;
}

/// A map from `step.use`, `step.with.name` or `seed` to something.
ordered_json keyed(const std::string& description, const ordered_json& values) {
  return {{"description", description},
          {"type", "object"},
          {"propertyNames", {{"pattern", "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$"}}},
          {"additionalProperties", values}};
}

ordered_json settings(const std::string& description) {
  return keyed(description, ordered_json::object());
}

ordered_json random_axes() {
  const ordered_json range{
      {"type", "array"}, {"items", {{"type", "number"}}}, {"minItems", 2}, {"maxItems", 2}};
  const ordered_json axis{{"type", "object"},
                          {"properties",
                           {{"choice", list_of(ordered_json::object(), 1)},
                            {"uniform", range},
                            {"integer", range},
                            {"log_uniform", range}}},
                          {"additionalProperties", false},
                          {"minProperties", 1},
                          {"maxProperties", 1}};
  return {{"description", "points drawn at random"},
          {"type", "object"},
          {"properties",
           {{"points", {{"type", "integer"}, {"minimum", 1}, {"maximum", kMostPoints}}},
            {"seed", {{"type", "integer"}, {"minimum", 0}}},
            {"axes", keyed("what is drawn", axis)}}},
          {"required", {"points", "axes"}},
          {"additionalProperties", false}};
}

/// What a sweep and each of its conditions may vary.
ordered_json axes() {
  const ordered_json values = list_of(ordered_json::object(), 1);
  return {{"grid", keyed("every combination of the lists", values)},
          {"zip", keyed("lists of one length, walked together", values)},
          {"list", list_of(settings("a point, written out"))},
          {"random", random_axes()}};
}

ordered_json conditions() {
  ordered_json properties{{"if", settings("the points that this is for")}};
  properties.update(axes());
  ordered_json schema = list_of({{"type", "object"},
                                 {"properties", std::move(properties)},
                                 {"required", {"if"}},
                                 {"additionalProperties", false}});
  schema["description"] = "axes for some of the points";
  return schema;
}

ordered_json sweep_section() {
  ordered_json properties = axes();
  properties["when"] = conditions();
  properties["set"] = settings("holds for all points");
  properties["seeds"] = list_of({{"type", "integer"}, {"minimum", 0}});
  properties["show"] = kScores;
  properties["baseline"] = settings("the point that others are compared with");
  properties["samples"] = {
      {"description", "of each job; 0 = all"}, {"type", "integer"}, {"minimum", 0}};
  properties["limits"] = section<JobLimits>("of a job");
  properties["budget"] = section<Budget>("no more jobs begin after that");
  properties["halving"] = section<HalvingParams>("all on few samples, the better on more");
  return {{"description", "what to vary"},
          {"type", "object"},
          {"properties", std::move(properties)},
          {"additionalProperties", false}};
}

}  // namespace

std::string sweep_json_schema() {
  return dumped({{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "MoMap sweep"},
                 {"type", "object"},
                 {"properties",
                  {{"base", {{"description", "graph file"}, {"type", "string"}}},
                   {"sweep", sweep_section()}}},
                 {"required", {"base", "sweep"}},
                 {"additionalProperties", false}});
}

std::string board_json_schema(const Catalog& catalog) {
  ordered_json schema = ordered_json::parse(graph_json_schema(catalog));
  schema["title"] = "MoMap leaderboard";
  // An open step is used by its entries; an entry's step is a step.
  schema["$defs"]["step"].erase("anyOf");
  const ordered_json step{{"$ref", "#/$defs/step"}};
  ordered_json board = section<BoardParams>("the protocol, and who takes part");
  board["properties"]["entries"] = {
      {"description", "by name, what each gives for the open steps"},
      {"type", "object"},
      {"additionalProperties", {{"type", "object"}, {"additionalProperties", step}}}};
  schema["properties"]["board"] = std::move(board);
  schema["properties"].erase("train");
  schema["properties"].erase("db");
  schema["required"] = {"board", "steps"};
  return dumped(schema);
}

}  // namespace momap
