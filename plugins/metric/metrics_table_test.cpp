// SPDX-License-Identifier: Apache-2.0
// docs/concepts/metrics.md lists every value that the metrics give, as they declare it.
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/plugin/loader.h>
#include <momap/stage/metric.h>
#include <scenes.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

namespace momap {
namespace {

namespace fs = std::filesystem;

/// "| `ade` | m | lower | - | 1 | displacement_error |"
std::string row(const std::string& plugin, const ScoreValue& value) {
  const std::string worst = std::isfinite(value.worst) ? fmt::format("{}", value.worst) : "-";
  return fmt::format("| `{}` | {} | {} | {} | {} | {} |", value.name,
                     value.unit.empty() ? "-" : value.unit,
                     value.direction == Direction::lower_is_better ? "lower" : "higher", worst,
                     value.protocol, plugin);
}

Datum datum_for(const Port& port, const Clip& clip) {
  if (port.accepts(Kind::clip)) return clip;
  if (port.accepts(Kind::momap)) return clip.truth[0].motion;
  if (port.accepts(Kind::latent)) return Latent{at::zeros({1, 3, 4, 4}, at::kFloat), {}};
  throw std::logic_error("no value for port '" + port.name + "'");
}

/// The rows of one metric, made with its defaults; none when it needs a file.
std::set<std::string> rows_of(const PluginInfo& plugin, const PluginLibrary& library) {
  if (std::ranges::any_of(plugin.params, &ParamInfo::required)) return {};
  Clip clip = testing::moving_square({.frames = 16, .height = 24, .width = 32});
  clip.covered = at::ones({16, 24, 32}, at::kBool);
  std::vector<Datum> data;
  for (const Port& port : plugin.inputs) data.push_back(datum_for(port, clip));
  Inputs inputs;
  for (size_t p = 0; p < data.size(); ++p) inputs.add(plugin.inputs[p].name, {&data[p]});

  const auto metric = std::static_pointer_cast<Metric>(
      library.make_stage(plugin.id, default_values(plugin.params)));
  Context context;
  context.sample = "test";
  std::set<std::string> rows;
  const std::string name = plugin.id.substr(plugin.id.find('/') + 1);
  for (const auto& value : metric->score(inputs, context).values) rows.insert(row(name, value));
  if (const auto pool = metric->pool()) {
    for (const auto& value : pool->total().values) rows.insert(row(name, value));
  }
  return rows;
}

TEST(MetricsTable, ListsWhatTheMetricsGive) {
  std::set<std::string> given, listed;
  std::set<std::string> need_files;
  for (const auto& file : fs::directory_iterator(MOMAP_METRICS_FOLDER)) {
    if (file.path().extension() != ".so") continue;
    const auto library = PluginLibrary::open(file.path());
    for (const PluginInfo& plugin : library->describe()) {
      const auto rows = rows_of(plugin, *library);
      if (rows.empty()) need_files.insert(plugin.id.substr(plugin.id.find('/') + 1));
      given.insert(rows.begin(), rows.end());
    }
  }
  ASSERT_GT(given.size(), 50u);
  std::istringstream page(read_file(MOMAP_SOURCE_DIR "/docs/concepts/metrics.md"));
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<size_t> bars;
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '|') bars.push_back(i);
    }
    ASSERT_GE(bars.size(), 8u) << line;
    const std::string plugin = line.substr(bars[5] + 2, bars[6] - bars[5] - 3);
    if (!need_files.contains(plugin)) listed.insert(line.substr(0, bars[6] + 1));
  }
  for (const auto& each : given) EXPECT_TRUE(listed.contains(each)) << "not in the page: " << each;
  for (const auto& each : listed) EXPECT_TRUE(given.contains(each)) << "no metric gives: " << each;
}

}  // namespace
}  // namespace momap
