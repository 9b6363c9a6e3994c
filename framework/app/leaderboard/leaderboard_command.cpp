// SPDX-License-Identifier: Apache-2.0
#include "leaderboard_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/folder_lock.h>
#include <momap/experiment/board.h>
#include <momap/experiment/plan.h>

#include <algorithm>

#include "board_check.h"
#include "board_run.h"
#include "board_table.h"
#include "run_command.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> paths(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

int leaderboard_run_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const Board board = read_board(options.graph, paths(options.inputs));
  for (const auto& entry : board.entries)
    entry_graph(board, entry, catalog);  // all are checked first
  const fs::path folder = run_folder(options, fs::path(options.graph).stem().string());
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw ConfigError(fmt::format("{}: cannot be made: {}", shown(folder), error.message()));
  if (!fs::is_empty(folder, error)) {
    throw ConfigError(fmt::format(
        "{}: the folder is not empty; results are never overwritten, choose another with -o",
        shown(folder)));
  }
  const FolderLock lock(folder);
  const BoardResults results = run_board(options, board, catalog, folder);
  write_results(folder / "results.json", results);
  write_file(folder / "table.md", board_text(results, "markdown"));
  fmt::print("{}\nresults in {}\n", board_text(results, options.json ? "jsonl" : options.format),
             shown(folder / "results.json"));
  const bool failed =
      std::ranges::any_of(results.rows, [](const auto& row) { return !row.failure.empty(); });
  return failed ? kExitData : kExitOk;
}

int leaderboard_show_command(const Options& options) {
  std::vector<BoardResults> parts;
  for (const auto& file : options.inputs) parts.push_back(read_results(file));
  fmt::print("{}", board_text(joined(parts), options.json ? "jsonl" : options.format));
  return kExitOk;
}

int leaderboard_check_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const Board board = read_board(options.graph, paths(options.inputs));
  const BoardResults results = read_results(options.database);
  const BoardCheck check = check_board(options, board, catalog, results);
  for (const auto& remark : check.remarks) fmt::print("note: {}\n", remark);
  for (const auto& finding : check.findings) fmt::print("WRONG: {}\n", finding);
  if (!check.findings.empty()) return kExitData;
  fmt::print("{}: sound; {} rows, {} run again with the same scores\n", shown(options.database),
             results.rows.size(), check.rerun);
  return kExitOk;
}

}  // namespace momap
