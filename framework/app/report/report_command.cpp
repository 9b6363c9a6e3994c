// SPDX-License-Identifier: Apache-2.0
#include "report_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include "pictured_run.h"
#include "report.h"
#include "run_command.h"
#include "tensorboard.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

Report report_of(const fs::path& path) {
  if (fs::is_regular_file(path)) return board_report(path);
  using Read = Report (*)(const fs::path&);
  static constexpr std::pair<const char*, Read> kKinds[]{{"plan.json", sweep_report},
                                                         {"results.json", board_report},
                                                         {"run.json", run_report},
                                                         {"loss.csv", training_report}};
  for (const auto& [file, read] : kKinds) {
    if (fs::exists(path / file)) return read(path);
  }
  throw ConfigError(
      fmt::format("{}: {}; expected the folder of a finished run, a sweep, a leaderboard or a "
                  "training, or the results.json of a leaderboard",
                  shown(path), fs::exists(path) ? "holds no results" : "does not exist"));
}

// Runs every row again with videos of what its metrics look at.
void add_pictures(Report& report, const fs::path& folder, const Options& options) {
  const auto catalog = engine_catalog(options);
  for (size_t i = 0; i < report.rows.size(); ++i) {
    ReportRow& row = report.rows[i];
    if (!row.failure.empty() || row.result.graph.empty()) continue;
    if (!options.quiet) fmt::print(stderr, "momap: pictures of {}\n", row.name);
    const fs::path run = folder / "report.data" / fmt::format("run-{}", i);
    fs::remove_all(run);  // of an earlier report
    pictured_run(row.result.graph, report.samples, run, options, catalog);
    if (fs::exists(run)) row.run = run;
  }
}

}  // namespace

int report_command(const Options& options) {
  const fs::path path = options.folder;
  Report report = report_of(path);
  const bool beside = options.output.empty();
  const fs::path own = fs::is_directory(path) ? path : path.parent_path();
  const fs::path folder = beside ? own : fs::path(options.output);
  if (options.pictures) add_pictures(report, folder, options);
  const fs::path page = write_report(report, folder, !beside,
                                     {.samples = options.pictured, .points = options.points});
  if (!options.tensorboard.empty()) write_tensorboard(report, options.tensorboard);
  fmt::print("{}\n", shown(fs::absolute(page)));
  return kExitOk;
}

}  // namespace momap
