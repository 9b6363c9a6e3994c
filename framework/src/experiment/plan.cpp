// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/experiment/plan.h>
#include <momap/graph/yaml.h>

#include <nlohmann/json.hpp>

namespace momap {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr uint64_t kLargestPlan = uint64_t{1} << 31;

ordered_json to_json(const Job& job) {
  ordered_json settings = ordered_json::array();
  for (const auto& [key, value] : job.settings) settings.push_back({key, value});
  ordered_json json{{"id", job.id},           {"settings", settings}, {"seed", job.seed},
                    {"samples", job.samples}, {"fresh", job.fresh},   {"graph", job.graph}};
  if (!job.command.empty()) json["command"] = job.command;
  return json;
}

Job job_from(const ordered_json& json) {
  Job job;
  job.id = json.at("id");
  for (const auto& pair : json.at("settings")) job.settings.emplace_back(pair.at(0), pair.at(1));
  job.seed = json.at("seed");
  job.samples = json.at("samples");
  job.fresh = json.at("fresh").get<std::vector<std::string>>();
  job.graph = json.at("graph");
  if (json.contains("command")) job.command = json["command"].get<std::vector<std::string>>();
  return job;
}

}  // namespace

void add_jobs(Plan& plan, const std::vector<Job>& jobs, const Catalog& catalog) {
  for (const Job& job : jobs) {
    plan.jobs.push_back(job);
    if (!job.command.empty()) continue;
    const Config graph = parse_yaml(job.graph, job.id);
    for (const auto& step : graph.find("steps")->entries()) {
      const Config* use = step.value.find("use");
      const PluginInfo* plugin = use ? catalog.find(use->text()) : nullptr;
      if (plugin) {
        plan.plugins[plugin->id] = {plugin->version, plugin->library.string(),
                                    plugin->library_hash};
      }
    }
  }
}

void write_plan(const fs::path& folder, const Plan& plan) {
  ordered_json plugins = ordered_json::object();
  for (const auto& [id, plugin] : plan.plugins) {
    plugins[id] = {{"version", plugin.version}, {"library", plugin.library}, {"hash", plugin.hash}};
  }
  ordered_json jobs = ordered_json::array();
  for (const Job& job : plan.jobs) jobs.push_back(to_json(job));
  const ordered_json json{{"format", kFormat},           {"kind", plan.kind},
                          {"overrides", plan.overrides}, {"build", plan.build},
                          {"plugins", plugins},          {"jobs", jobs}};
  write_file(folder / "plan.json",
             json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

Plan read_plan(const fs::path& folder, const std::string& kind) {
  const fs::path file = folder / "plan.json";
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw ConfigError(
        fmt::format("{}: holds no plan.json, so it is not the folder of a {}; see "
                    "momap {} --help",
                    shown(folder), kind, kind));
  }
  Plan plan;
  try {
    const auto json = ordered_json::parse(read_file(file, kLargestPlan));
    if (json.at("format") != kFormat || json.at("kind") != kind) {
      throw ConfigError(fmt::format("{}: is format {} of a {}; expected format {} of a {}",
                                    shown(file), json.at("format").dump(),
                                    json.at("kind").get<std::string>(), kFormat, kind));
    }
    plan.kind = json.at("kind");
    plan.overrides = json.at("overrides").get<std::vector<std::string>>();
    plan.build = json.at("build");
    for (const auto& [id, plugin] : json.at("plugins").items()) {
      plan.plugins[id] = {plugin.at("version"), plugin.at("library"), plugin.at("hash")};
    }
    for (const auto& job : json.at("jobs")) plan.jobs.push_back(job_from(job));
  } catch (const nlohmann::json::exception& e) {
    throw ConfigError(fmt::format("{}: cannot be read: {}", shown(file), e.what()));
  }
  return plan;
}

std::string changed_plugins(const Plan& plan, const Catalog& catalog) {
  std::vector<std::string> changed;
  if (plan.build != own_stamp()) {
    changed.push_back(fmt::format("momap itself: '{}' then, '{}' now", plan.build, own_stamp()));
  }
  for (const auto& [id, before] : plan.plugins) {
    const PluginInfo* now = catalog.find(id);
    if (!now) {
      changed.push_back(fmt::format("{} is no longer there (was {})", id, before.library));
    } else if (now->library_hash != before.hash || now->version != before.version) {
      changed.push_back(fmt::format("{} v{} in {} was another file (v{}, hash {} then, {} now)", id,
                                    now->version, now->library.string(), before.version,
                                    before.hash.substr(0, 8), now->library_hash.substr(0, 8)));
    }
  }
  return join(changed, "; ");
}

std::string changed_files(const Plan& plan) {
  std::vector<std::string> changed;
  for (const auto& [id, plugin] : plan.plugins) {
    try {
      if (file_hash(plugin.library) == plugin.hash) continue;
      changed.push_back(fmt::format("{} ({}) was built anew", id, plugin.library));
    } catch (const ConfigError& e) {
      changed.push_back(fmt::format("{}: {}", id, e.what()));
    }
  }
  return join(changed, "; ");
}

}  // namespace momap
