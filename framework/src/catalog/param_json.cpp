// SPDX-License-Identifier: Apache-2.0
#include "param_json.h"

#include <cmath>

namespace momap {
namespace {

using nlohmann::json;

// Tried in the order of the variant, so that the type name alone decides which alternative is read.
ParamValue value_from_json(const std::string& type, const json& j) {
  if (type == "bool") return j.get<bool>();
  if (type == "int") return j.get<int64_t>();
  if (type == "real") return j.get<double>();
  if (type == "string") return j.get<std::string>();
  if (type == "list of int") return j.get<std::vector<int64_t>>();
  if (type == "list of real") return j.get<std::vector<double>>();
  return j.get<std::vector<std::string>>();
}

}  // namespace

json value_to_json(const ParamValue& value) {
  return std::visit([](const auto& v) { return json(v); }, value);
}

json param_to_json(const ParamInfo& info) {
  json j{{"name", info.name},
         {"type", type_name(info)},
         {"default", value_to_json(info.default_value)},
         {"help", info.help}};
  if (!info.unit.empty()) j["unit"] = info.unit;
  if (std::isfinite(info.minimum)) j[info.exclusive_minimum ? "above" : "minimum"] = info.minimum;
  if (std::isfinite(info.maximum)) j[info.exclusive_maximum ? "below" : "maximum"] = info.maximum;
  if (!info.choices.empty()) j["choices"] = info.choices;
  if (info.required) j["required"] = true;
  if (info.runtime_only) j["runtime_only"] = true;
  if (info.is_file) j["file"] = true;
  return j;
}

ParamInfo param_from_json(const json& j) {
  ParamInfo info;
  info.name = j.at("name").get<std::string>();
  info.help = j.at("help").get<std::string>();
  info.unit = j.value("unit", "");
  info.default_value = value_from_json(j.at("type").get<std::string>(), j.at("default"));
  info.exclusive_minimum = j.contains("above");
  info.exclusive_maximum = j.contains("below");
  info.minimum = j.value(info.exclusive_minimum ? "above" : "minimum", info.minimum);
  info.maximum = j.value(info.exclusive_maximum ? "below" : "maximum", info.maximum);
  info.choices = j.value("choices", info.choices);
  info.required = j.value("required", false);
  info.runtime_only = j.value("runtime_only", false);
  info.is_file = j.value("file", false);
  return info;
}

}  // namespace momap
