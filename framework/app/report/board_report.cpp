// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/experiment/board.h>
#include <momap/experiment/job.h>

#include <algorithm>

#include "report.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

// Where the entry was scored, if that is still there.
fs::path run_of(const fs::path& folder, const std::string& entry) {
  try {
    return JobFolder(folder, entry).run();
  } catch (const DataError&) {
    return {};
  }
}

ReportRow row_of(const BoardResults& results, const BoardRow& row, const fs::path& folder) {
  ReportRow out;
  out.name = row.entry;
  if (row.control) out.remarks.emplace_back("control");
  if (row.entry == results.baseline) out.remarks.emplace_back("baseline");
  out.failure = row.failure;
  out.rank = row.rank;
  out.result = row.result;
  out.result.graph = row.graph;
  out.result.plugins = row.hashes;
  out.seconds = row.seconds;
  out.ratio = row.speed_ratio;
  out.gib = row.peak_gib;
  if (!folder.empty()) out.run = run_of(folder, row.entry);
  return out;
}

}  // namespace

Report board_report(const fs::path& path) {
  const bool is_folder = fs::is_directory(path);
  const BoardResults results = read_results(is_folder ? path / "results.json" : path);
  Report report;
  report.kind = "leaderboard";
  report.title = results.title;
  report.facts = {{"Protocol", std::to_string(results.version)},
                  {"Data", results.data},
                  {"Samples", std::to_string(results.samples)},
                  {"Ranked by", results.rank_by + ", ties where the paired 95 % interval holds 0"},
                  {"Machine", results.host},
                  {"Build", results.build}};
  report.samples = results.samples;
  report.cost = "s a sample";
  report.repeat = "momap leaderboard run BOARD.yaml -o FOLDER";
  for (const std::string& key : results.show) {
    for (const BoardRow& row : results.rows) {
      const auto info = std::ranges::find(row.result.scores, key, &ScoreInfo::key);
      if (info == row.result.scores.end()) continue;
      report.scores.push_back(*info);
      break;
    }
  }
  for (const BoardRow* row : rows_by_rank(results)) {
    report.rows.push_back(row_of(results, *row, is_folder ? path : fs::path()));
  }
  return report;
}

}  // namespace momap
