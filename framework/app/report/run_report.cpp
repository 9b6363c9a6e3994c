// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "finished_run.h"
#include "report.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Every column of numbers over the first one. A last line that was cut short is left out.
std::vector<ReportCurve> curves_in(const fs::path& csv) {
  std::istringstream lines(read_file(csv));
  std::string line;
  std::getline(lines, line);
  const auto names = cells_of(line);
  std::vector<ReportCurve> curves(names.size());
  for (size_t c = 0; c < names.size(); ++c) curves[c].name = names[c];
  while (std::getline(lines, line)) {
    const auto cells = cells_of(line);
    if (cells.size() != names.size()) continue;
    const auto step = number_in(cells[0]);
    for (size_t c = 1; step && c < cells.size(); ++c) {
      if (const auto value = number_in(cells[c])) curves[c].points.emplace_back(*step, *value);
    }
  }
  std::erase_if(curves, [](const ReportCurve& curve) { return curve.points.empty(); });
  return curves;
}

// Of each score one curve, from lines of step, score, mean, samples.
std::vector<ReportCurve> validation_curves(const fs::path& csv) {
  std::istringstream lines(read_file(csv));
  std::vector<ReportCurve> curves;
  for (std::string line; std::getline(lines, line);) {
    const auto cells = cells_of(line);
    if (cells.size() != 4) continue;
    const auto step = number_in(cells[0]), mean = number_in(cells[2]);
    if (!step || !mean) continue;
    const std::string name = "validation: " + cells[1];
    auto curve = std::ranges::find(curves, name, &ReportCurve::name);
    if (curve == curves.end()) curve = curves.insert(curves.end(), {name, {}});
    curve->points.emplace_back(*step, *mean);
  }
  return curves;
}

}  // namespace

Report run_report(const fs::path& folder) {
  const FinishedRun run = read_finished_run(folder);
  Report report;
  report.kind = "run";
  report.title = fs::weakly_canonical(folder).filename().string();
  report.facts = {{"Finished", run.finished},
                  {"Samples", run.failed > 0 ? fmt::format("{}, {} failed", run.samples, run.failed)
                                             : std::to_string(run.samples)}};
  for (const RunScore& score : run.pooled) {
    report.facts.emplace_back(
        score.step + "." + score.name + ", all samples together",
        score.mean ? fmt::format("{:.4g} {}", *score.mean, score.unit) : "undefined");
  }
  report.cost = "s a sample";
  report.repeat = "momap run GRAPH.yaml -o FOLDER";
  ReportRow row;
  row.name = report.title;
  row.result = read_run(folder);
  double seconds = 0;
  for (const auto& [step, taken] : row.result.step_seconds) seconds += taken;
  row.seconds = Interval{seconds, seconds, seconds};
  row.run = folder;
  report.scores = row.result.scores;
  report.rows.push_back(std::move(row));
  return report;
}

Report training_report(const fs::path& folder) {
  Report report;
  report.kind = "training";
  report.title = fs::weakly_canonical(folder).filename().string();
  report.repeat = "momap train RECIPE.yaml -o FOLDER";
  report.curves = curves_in(folder / "loss.csv");
  if (fs::exists(folder / "validation.csv")) {
    for (auto& curve : validation_curves(folder / "validation.csv")) {
      report.curves.push_back(std::move(curve));
    }
  }
  double steps = 0;
  for (const ReportCurve& curve : report.curves) {
    steps = std::max(steps, curve.points.back().first);
  }
  report.facts = {{"Steps", fmt::format("{:.0f}", steps)}};
  return report;
}

}  // namespace momap
