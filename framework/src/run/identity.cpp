// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/run/identity.h>

#include <nlohmann/json.hpp>

namespace momap {
namespace {

using nlohmann::json;

// A file parameter counts by the file's content, so that moving a file changes nothing and editing
// it does.
std::string semantic_value(const ParamInfo& info, const ParamValue& value) {
  const auto* path = std::get_if<std::string>(&value);
  std::error_code error;
  if (info.is_file && path && std::filesystem::is_regular_file(*path, error)) {
    return "content " + file_hash(*path);
  }
  return yaml_text(value);
}

void compare(const std::string& what, const std::map<std::string, std::string>& before,
             const std::map<std::string, std::string>& now, std::vector<std::string>& reasons) {
  for (const auto& [name, value] : now) {
    const auto old = before.find(name);
    if (old == before.end()) {
      reasons.push_back(fmt::format("{} '{}' is new", what, name));
    } else if (old->second != value) {
      const bool show = what == "parameter";
      reasons.push_back(
          show ? fmt::format("{} '{}' changed: {} -> {}", what, name, old->second, value)
               : fmt::format("{} '{}' changed", what, name));
    }
  }
  for (const auto& [name, value] : before) {
    if (!now.contains(name)) reasons.push_back(fmt::format("{} '{}' is gone", what, name));
  }
}

}  // namespace

std::string StepIdentity::to_json() const {
  return json{{"plugin", plugin}, {"version", version}, {"library", library}, {"params", params},
              {"inputs", inputs}, {"seed", seed},       {"content", content}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

StepIdentity StepIdentity::from_json(const std::string& text) {
  const json j = json::parse(text);
  return {j.at("plugin"), j.at("version"), j.at("library"), j.at("params"),
          j.at("inputs"), j.at("seed"),    j.at("content")};
}

std::string StepIdentity::key() const { return content_hash(to_json()); }

StepIdentity static_identity(const Step& step) {
  StepIdentity identity;
  identity.plugin = (step.reverse ? "reverse of " : "") + step.plugin.id;
  identity.version = step.plugin.version;
  identity.library = step.plugin.library_hash;
  for (size_t i = 0; i < step.params.size(); ++i) {
    const ParamInfo& info = step.plugin.params.at(i);
    if (!info.runtime_only)
      identity.params[info.name] = semantic_value(info, step.params[i].second);
  }
  if (step.plugin.uses_seed) identity.seed = std::to_string(step.seed);
  return identity;
}

std::string difference(const StepIdentity& before, const StepIdentity& now) {
  std::vector<std::string> reasons;
  if (before.plugin != now.plugin) {
    reasons.push_back(fmt::format("plugin changed: {} -> {}", before.plugin, now.plugin));
  } else if (before.version != now.version) {
    reasons.push_back(fmt::format("plugin version changed: {} -> {}", before.version, now.version));
  } else if (before.library != now.library) {
    reasons.emplace_back("the plugin's library was rebuilt");
  }
  compare("parameter", before.params, now.params, reasons);
  compare("input", before.inputs, now.inputs, reasons);
  if (before.seed != now.seed)
    reasons.push_back(fmt::format("seed changed: {} -> {}", before.seed, now.seed));
  if (before.content != now.content) reasons.emplace_back("the source's content changed");
  return join(reasons, "; ");
}

}  // namespace momap
