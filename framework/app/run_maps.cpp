// SPDX-License-Identifier: Apache-2.0
#include "run_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

namespace momap {
namespace {

namespace fs = std::filesystem;

std::string setting(const FinishedRun& run, const std::string& key) {
  const auto found = run.settings.find(key);
  return found == run.settings.end() ? "" : found->second;
}

std::vector<std::string> steps_with(const FinishedRun& run, std::string_view plugin) {
  std::vector<std::string> steps;
  for (const auto& step : run.steps) {
    if (setting(run, step.step + ".use").starts_with(plugin)) steps.push_back(step.step);
  }
  return steps;
}

// Name of a result without its extension -> file, of one output step.
std::map<std::string, fs::path> results_of(const FinishedRun& run, const std::string& step) {
  std::map<std::string, fs::path> files;
  const fs::path folder = run.folder / step;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().lexically_relative(folder).replace_extension().string()] = entry.path();
  }
  return files;
}

// "door-2" -> "door": the sample of a future. A name without such an end is the sample's own.
std::string sample_of(const std::string& name) {
  const auto end = std::find_if(name.rbegin(), name.rend(), [](unsigned char c) {
                     return !std::isdigit(c);
                   }).base();
  const bool numbered = end != name.end() && end != name.begin() && *(end - 1) == '-';
  return numbered ? std::string(name.begin(), end - 1) : name;
}

std::set<std::string> steps_before(const FinishedRun& run, const std::string& step) {
  std::set<std::string> before;
  std::vector<std::string> open{step};
  while (!open.empty()) {
    const std::string prefix = open.back() + ".in.";
    open.pop_back();
    for (auto it = run.settings.lower_bound(prefix);
         it != run.settings.end() && it->first.starts_with(prefix); ++it) {
      if (before.insert(it->second).second) open.push_back(it->second);
    }
  }
  return before;
}

// Whether the first frame of what `step` writes is the view of the map: it shows nothing but a clip
// that the map was made from.
bool shows_reference(const FinishedRun& run, const std::string& step,
                     const std::set<std::string>& before) {
  const std::string value = setting(run, step + ".in.value");
  if (!before.contains(value) || !setting(run, step + ".in.image").empty()) return false;
  const std::string maker = setting(run, value + ".use");
  if (!maker.starts_with("source/") && !maker.starts_with("annotation/")) return false;
  return setting(run, step + ".use") != "output/image" ||
         setting(run, step + ".with.frame") == "0" || maker == "source/image";
}

std::optional<RunFile> file_of(const FinishedRun& run, const std::string& step,
                               const std::string& name) {
  const auto files = results_of(run, step);
  for (const auto& wanted : {name, sample_of(name)}) {
    if (const auto found = files.find(wanted); found != files.end()) {
      return RunFile{step, found->second};
    }
  }
  return std::nullopt;
}

std::optional<RunFile> reference_of(const FinishedRun& run, const RunMap& map) {
  const auto before = steps_before(run, map.file.step);
  // In order of what is kept of the colours.
  for (const auto* plugin : {"output/safetensors", "output/image", "output/video"}) {
    for (const auto& step : steps_with(run, plugin)) {
      if (step == map.file.step || !shows_reference(run, step, before)) continue;
      if (auto file = file_of(run, step, map.name)) return file;
    }
  }
  return std::nullopt;
}

bool is_figure(const fs::path& file) {
  static constexpr std::array kShown{".png", ".jpg", ".gif", ".webp", ".mp4", ".webm"};
  return std::ranges::find(kShown, file.extension()) != kShown.end();
}

std::vector<RunFile> figures_of(const FinishedRun& run, const std::string& name) {
  std::vector<RunFile> figures;
  for (const auto& step : steps_with(run, "output/")) {
    const auto file = file_of(run, step, name);
    if (file && is_figure(file->path)) figures.push_back(*file);
  }
  return figures;
}

}  // namespace

std::vector<RunMap> maps_of(const FinishedRun& run) {
  std::vector<RunMap> maps;
  for (const auto& step : steps_with(run, "output/safetensors")) {
    for (const auto& [name, path] : results_of(run, step)) {
      RunMap map{name, {step, path}, std::nullopt, figures_of(run, name)};
      map.reference = reference_of(run, map);
      maps.push_back(std::move(map));
    }
  }
  return maps;
}

std::map<std::string, std::vector<RunFile>> figures_by_name(const FinishedRun& run) {
  std::map<std::string, std::vector<RunFile>> figures;
  for (const auto& step : steps_with(run, "output/")) {
    for (const auto& [name, path] : results_of(run, step)) {
      if (is_figure(path)) figures[name].push_back({step, path});
    }
  }
  return figures;
}

std::string map_step_advice(const FinishedRun& run) {
  std::string maker = "STEP";
  for (const auto& step : run.steps) {
    const bool decodes = !setting(run, step.step + ".reverse").empty();
    if (decodes || setting(run, step.step + ".use").starts_with("extraction/")) maker = step.step;
  }
  return fmt::format("momap_safetensors: {{use: output/safetensors, in: {{value: {}}}}}{}", maker,
                     maker == "STEP" ? ", where STEP is an extraction or a decoding" : "");
}

}  // namespace momap
