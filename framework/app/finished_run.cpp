// SPDX-License-Identifier: Apache-2.0
#include "finished_run.h"

#include <fmt/format.h>
#include <momap/base/config.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/graph/yaml.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace momap {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;

// "steps.warp.with.radius" -> "warp.with.radius"; a list is one value.
void flatten(const Config& value, const std::string& path,
             std::map<std::string, std::string>& out) {
  if (value.is_map()) {
    for (const auto& [key, mark, inner] : value.entries()) {
      flatten(inner, path.empty() || path == "steps" ? key : fmt::format("{}.{}", path, key), out);
    }
  } else if (value.is_list()) {
    std::string text;
    for (const auto& item : value.items())
      text += fmt::format("{}{}", text.empty() ? "" : ", ", item.describe());
    out[path] = fmt::format("[{}]", text);
  } else {
    out[path] = value.describe();
  }
}

RunScore score_of(const json& entry, const char* figure) {
  RunScore score;
  score.step = entry.at("step");
  score.name = entry.at("name");
  score.unit = entry.at("unit");
  score.higher_is_better = entry.at("better") == "higher";
  score.protocol = entry.at("protocol");
  if (entry.contains(figure)) score.mean = entry.at(figure).get<double>();
  return score;
}

void add_values(const json& line, std::vector<RunScore>& scores) {
  const std::string sample = line.at("sample");
  for (const auto& entry : line.at("scores")) {
    const std::string step = entry.at("step");
    const std::string name = entry.at("name");
    const auto score = std::ranges::find_if(
        scores, [&](const RunScore& s) { return s.step == step && s.name == name; });
    if (score == scores.end()) {
      throw ConfigError(fmt::format("score '{}' of step '{}' is not in run.json", name, step));
    }
    const std::pair key(sample, entry.at("k").get<int64_t>());
    score->values[key] =
        entry.contains("value") ? std::optional(entry.at("value").get<double>()) : std::nullopt;
  }
}

void read_samples(const fs::path& path, std::vector<RunScore>& scores) {
  std::ifstream in(path);
  if (!in) throw ConfigError(fmt::format("{}: cannot be read", shown(path)));
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    try {
      add_values(json::parse(line), scores);
    } catch (const std::exception& e) {
      throw ConfigError(
          fmt::format("{}:{}: error: is not what a run writes: {}", shown(path), number, e.what()));
    }
  }
}

FinishedRun run_of(const json& j, const fs::path& file) {
  FinishedRun run;
  if (j.at("format") != kFormat) {
    throw ConfigError(
        fmt::format("has format {}; this momap reads {}", j.at("format").dump(), kFormat));
  }
  run.folder = file.parent_path();
  run.finished = j.at("finished");
  run.samples = j.at("samples");
  run.failed = j.at("failed");
  flatten(parse_yaml(j.at("graph").get<std::string>(), shown(file)), "", run.settings);
  run.surroundings["build"] = j.at("build");
  run.surroundings["host"] = j.at("host").at("name");
  run.surroundings["system"] = j.at("host").at("system");
  for (const auto& [id, plugin] : j.at("plugins").items()) {
    run.surroundings["library of " + id] =
        fmt::format("v{} {}", plugin.at("version").dump(), plugin.at("hash").get<std::string>());
    if (id.starts_with("source/")) run.source_versions[id] = plugin.at("version");
  }
  for (const auto& step : j.at("steps")) {
    run.steps.push_back(
        {step.at("step"), step.at("computed"), step.at("from_cache"), step.at("seconds")});
  }
  for (const auto& entry : j.at("scores")) run.scores.push_back(score_of(entry, "mean"));
  for (const auto& entry : j.at("pooled")) run.pooled.push_back(score_of(entry, "value"));
  return run;
}

}  // namespace

FinishedRun read_finished_run(const fs::path& folder) {
  const fs::path file = folder.filename() == "run.json" ? folder : folder / "run.json";
  check_exists(folder, shown(folder));
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw ConfigError(
        fmt::format("{}: holds no run.json, so it is no finished run; expected the "
                    "folder that `momap run -o` has written",
                    shown(folder)));
  }
  FinishedRun run;
  try {
    run = run_of(json::parse(read_file(file)), file);
  } catch (const std::exception& e) {
    throw ConfigError(fmt::format("{}: is not what a run writes: {}", shown(file), e.what()));
  }
  read_samples(file.parent_path() / "scores.jsonl", run.scores);
  return run;
}

}  // namespace momap
