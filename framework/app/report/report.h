// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/results.h>
#include <momap/experiment/settings.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// An entry of a leaderboard, a point of a sweep, or the run itself.
struct ReportRow {
  std::string name;
  std::vector<std::string> remarks;  ///< "baseline", "control"
  std::string failure;               ///< why there are no scores; "" = there are
  int rank = 0;                      ///< from 1, shared where tied; 0 = none
  Settings settings;                 ///< what sets a point of a sweep apart
  RunResult result;
  bool pooled = false;              ///< `result` is of several seeds
  std::optional<Interval> seconds;  ///< of a sample (leaderboard, run) or of a job (sweep)
  std::optional<Interval> ratio;    ///< the same over the baseline's
  std::optional<double> gib;        ///< peak memory
  std::filesystem::path run;        ///< folder of a run of it; empty = not here
};

/// A figure that changes with the steps of a training.
struct ReportCurve {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< step, value
};

/// What a page shows.
struct Report {
  std::string kind;  ///< "leaderboard", "sweep", "run" or "training"
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;  ///< label and text
  std::vector<std::string> varying;                        ///< keys that set rows apart
  std::vector<ScoreInfo> scores;  ///< those shown, the most important first
  std::string cost;               ///< what `seconds` are of
  std::string repeat;             ///< command
  int64_t samples = 0;            ///< of each row\'s run, 0 = all
  std::vector<ReportRow> rows;
  std::vector<ReportCurve> curves;
};

/// From the folder of a leaderboard or its `results.json`. Throws DataError.
Report board_report(const std::filesystem::path& path);
/// From the folder of a sweep, finished or not. Throws ConfigError.
Report sweep_report(const std::filesystem::path& folder);
/// From the folder of a finished run. Throws DataError.
Report run_report(const std::filesystem::path& folder);
/// From the folder of a training, finished or not. Throws DataError.
Report training_report(const std::filesystem::path& folder);

struct ReportOptions {
  int64_t samples = 24;    ///< whose pictures a row shows, worst first
  int64_t points = 40000;  ///< of a motion map in the 3D view, at most
};

/// Writes `report.html` and, where it is not the folder of the results, copies of the pictures and
/// videos that it shows. Returns the page.
std::filesystem::path write_report(const Report& report, const std::filesystem::path& folder,
                                   bool copies, const ReportOptions& options);

}  // namespace momap
