// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/experiment/sweep.h>
#include <momap/graph/yaml.h>
#include <momap/params/params.h>

#include <algorithm>
#include <set>

#include "axes.h"
#include "sweep_params.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kKeys{"set",    "grid",   "zip",    "list",     "random",
                                     "when",   "seeds",  "show",   "baseline", "samples",
                                     "limits", "budget", "halving"};

// A section of plain parameters; absent = defaults.
template <class Struct>
Struct section(const Config& sweep, const char* key, Problems& problems) {
  const Config* found = sweep.find(key);
  if (!found) return {};
  const ParamValues values =
      check_params(schema_of<Struct>(), *found, fmt::format("sweep: {}", key), "", problems);
  return problems.empty() ? from_values<Struct>(values) : Struct{};
}

std::vector<std::string> texts(const Config& sweep, const char* key, Problems& problems) {
  std::vector<std::string> out;
  const Config* found = sweep.find(key);
  if (!found) return out;
  const bool is_list = found->is_list() && std::ranges::all_of(found->items(), &Config::is_scalar);
  if (!is_list) {
    problems.add(found->mark(), fmt::format("{} = {} is not a list", key, found->describe()));
    return out;
  }
  for (const auto& item : found->items()) out.push_back(item.text());
  return out;
}

uint64_t whole_number(const std::string& text, const Mark& mark, const char* what,
                      Problems& problems) {
  const bool digits = !text.empty() && text.size() < 19 &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    problems.add(mark, fmt::format("{} = {} is not a whole number from 0", what, printable(text)));
    return 0;
  }
  return std::stoull(text);
}

// The `when` entries: {if: {key: value}, grid: ...} expands the points that have those values.
std::vector<Settings> with_conditions(const std::vector<Settings>& points, const Config& when,
                                      Problems& problems) {
  if (!when.is_list()) {
    problems.add(
        when.mark(), fmt::format("when is {}; expected a list", when.describe()),
        "for example  when: [{if: {warp.use: warping/mesh}, grid: {warp.with.edge: [1]}}]");
    return points;
  }
  std::vector<Settings> out = points;
  for (const auto& condition : when.items()) {
    const Config* wanted = condition.find("if");
    if (!wanted) {
      problems.add(condition.mark(), "an entry of `when` needs `if`, a map of keys to values");
      continue;
    }
    const Settings needed = settings_of(*wanted, problems);
    std::vector<Settings> next;
    for (const auto& point : out) {
      if (!contains(point, needed)) {
        next.push_back(point);
        continue;
      }
      for (auto& more : expand_axes(condition, point, problems)) next.push_back(std::move(more));
      if (!problems.empty() || next.size() > kMostPoints) break;
    }
    out = std::move(next);
  }
  return out;
}

std::vector<Settings> without_repeats(const std::vector<Settings>& points) {
  std::set<Settings> seen;
  std::vector<Settings> out;
  for (const auto& point : points) {
    if (seen.insert(point).second) out.push_back(point);
  }
  return out;
}

Settings override_settings(const std::vector<std::string>& overrides) {
  Settings out;
  for (const auto& text : overrides) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw ConfigError(
          fmt::format("--set {}: expected key.path=value, for example warp.with.radius=2", text));
    }
    out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

}  // namespace

Sweep read_sweep(const fs::path& file, const std::vector<std::string>& overrides) {
  const Config root = read_yaml(file);
  Problems problems;
  const Config* base = root.find("base");
  const Config* found = root.find("sweep");
  if (!base || !base->is_scalar() || !found || !found->is_map()) {
    problems.add(root.mark(), "a sweep has `base` (a graph file) and `sweep` (what to vary)",
                 "for example  base: graph.yaml  and  sweep: {grid: {warp.with.radius: [1, 2]}}");
    problems.throw_if_any();
  }
  const Config& section_map = *found;
  for (const auto& [key, mark, value] : root.entries()) {
    if (key != "base" && key != "sweep") {
      problems.add(mark, fmt::format("no key '{}' in a sweep{}", printable(key),
                                     suggestion(key, {"base", "sweep"})));
    }
  }
  for (const auto& [key, mark, value] : section_map.entries()) {
    if (std::ranges::count(kKeys, key) == 0) {
      problems.add(mark,
                   fmt::format("sweep: no key '{}'{}", printable(key), suggestion(key, kKeys)));
    }
  }
  Sweep sweep;
  sweep.file = file;
  sweep.base = base->text();
  if (sweep.base.is_relative()) sweep.base = (file.parent_path() / sweep.base).lexically_normal();
  const Config* set = section_map.find("set");
  const Settings start = set ? settings_of(*set, problems) : Settings{};
  sweep.points = expand_axes(section_map, start, problems);
  if (const Config* when = section_map.find("when"); when && problems.empty()) {
    sweep.points = with_conditions(sweep.points, *when, problems);
  }
  const Settings last = override_settings(overrides);
  for (auto& point : sweep.points) point = merged(point, last);
  sweep.points = without_repeats(sweep.points);
  for (const auto& text : texts(section_map, "seeds", problems)) {
    sweep.seeds.push_back(whole_number(text, section_map.find("seeds")->mark(), "seed", problems));
  }
  sweep.show = texts(section_map, "show", problems);
  if (const Config* samples = section_map.find("samples")) {
    sweep.samples = static_cast<int64_t>(
        whole_number(samples->describe(), samples->mark(), "samples", problems));
  }
  if (const Config* baseline = section_map.find("baseline")) {
    sweep.baseline = settings_of(*baseline, problems);
    const bool fits = std::ranges::any_of(
        sweep.points, [&](const Settings& point) { return contains(point, sweep.baseline); });
    if (!fits) {
      problems.add(baseline->mark(),
                   fmt::format("baseline: no point has {}", text_of(sweep.baseline)));
    }
  }
  sweep.limits = section<JobLimits>(section_map, "limits", problems);
  const auto budget = section<Budget>(section_map, "budget", problems);
  sweep.budget_jobs = budget.jobs;
  sweep.budget_seconds = budget.seconds;
  if (const Config* halving = section_map.find("halving")) {
    const auto values = section<HalvingParams>(section_map, "halving", problems);
    sweep.halving = Halving{values.score, values.samples, values.keep};
    if (values.samples.size() < 2 || !std::ranges::is_sorted(values.samples) ||
        values.samples[0] < 1) {
      problems.add(halving->mark(), "halving: samples needs at least two rising numbers above 0",
                   "for example  halving: {score: psnr.psnr_all, samples: [2, 8, 32]}");
    }
  }
  problems.throw_if_any();
  return sweep;
}

std::vector<Job> sweep_jobs(const Sweep& sweep, const std::vector<Settings>& points,
                            int64_t samples, const Catalog& catalog) {
  std::vector<Job> jobs;
  std::vector<std::pair<std::string, std::vector<size_t>>>
      refused;  // what is wrong, of which points
  for (size_t p = 0; p < points.size(); ++p) {
    const std::vector<uint64_t> no_seed{0};
    for (const uint64_t seed : sweep.seeds.empty() ? no_seed : sweep.seeds) {
      GraphOptions options;
      options.overrides = overrides_of(points[p]);
      if (!sweep.seeds.empty()) options.overrides.push_back(fmt::format("seed={}", seed));
      try {
        const Graph graph = read_graph(sweep.base, catalog, options);
        Job job;
        job.settings = points[p];
        job.seed = graph.seed;
        job.graph = graph_yaml(graph);
        job.samples = samples;
        job.id = fmt::format("{:04}-{}", jobs.size(),
                             content_hash(fmt::format("{}\n{}", samples, job.graph)).substr(0, 8));
        jobs.push_back(std::move(job));
      } catch (const ConfigError& e) {
        const auto known =
            std::ranges::find(refused, e.what(), &decltype(refused)::value_type::first);
        if (known == refused.end()) {
          refused.push_back({e.what(), {p}});
        } else {
          known->second.push_back(p);
        }
        break;  // other seeds have the same problem
      }
    }
  }
  if (!refused.empty()) {
    std::string text = fmt::format("{}: nothing was started\n", shown(sweep.file));
    for (const auto& [problem, of] : refused) {
      text += fmt::format("{} of {} points, the first being {}:\n{}\n", of.size(), points.size(),
                          text_of(points[of[0]]), problem);
    }
    throw ConfigError(text);
  }
  return jobs;
}

}  // namespace momap
