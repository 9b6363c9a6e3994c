// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>
#include <momap/experiment/job.h>
#include <momap/experiment/results.h>
#include <momap/graph/graph.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace momap {

/// What somebody enters into a leaderboard: plugins and parameters for the steps the board leaves
/// open.
struct BoardEntry {
  std::string name;
  Config steps;  ///< step -> {use, with}
  bool control = false;
};

/// A score that boards may rank by and show besides those of the graph: time of the open steps over
/// the baseline's, round by round. A rerun does not give it again.
inline constexpr const char* kSpeedScore = "speed.time_ratio";

/// A leaderboard file: a graph with open steps, the data, the rules.
struct Board {
  std::filesystem::path file;
  Config root;  ///< the whole file
  std::string title;
  int64_t version = 0;  ///< of this protocol: raised with any change that can move a score
  std::string data;     ///< what it runs on, in words
  int64_t samples = 0;
  std::vector<std::string> open_steps;
  std::string rank_by;            ///< score key, "psnr.psnr_covered", or kSpeedScore
  std::vector<std::string> show;  ///< score keys of the table; `rank_by` first
  std::string baseline;           ///< entry that speeds are given against
  int64_t speed_samples = 0;      ///< of each timed run; 0 = speed is not measured
  int64_t speed_repeats = 0;
  JobLimits limits;
  std::vector<BoardEntry> entries;
};

/// Reads a board and the entries of further files. Throws ConfigError with all problems.
Board read_board(const std::filesystem::path& file,
                 const std::vector<std::filesystem::path>& entries = {});

/// The checked graph of one entry. Throws ConfigError.
Graph entry_graph(const Board& board, const BoardEntry& entry, const Catalog& catalog);

/// What a board says of one entry.
struct BoardRow {
  std::string entry;
  bool control = false;
  std::string failure;                        ///< why there are no scores; "" = there are
  std::string graph;                          ///< resolved YAML: runs again as it is
  std::map<std::string, uint32_t> versions;   ///< plugin id -> version
  std::map<std::string, std::string> hashes;  ///< plugin id -> hash of the library
  RunResult result;
  int rank = 0;  ///< from 1, shared by entries that cannot be told apart; 0 = none
  std::optional<Interval> seconds;      ///< of the open steps together, a sample, one thread, warm
  std::optional<Interval> speed_ratio;  ///< the same over the baseline's in the same round
  double cpu_seconds = 0;               ///< of the scored run, cached steps not counted
  double peak_gib = 0;
};

/// A finished leaderboard, `results.json`.
struct BoardResults {
  std::string title;
  int64_t version = 0;
  std::string data;
  int64_t samples = 0;
  std::string rank_by;
  std::vector<std::string> show;
  std::string baseline;
  std::string build;  ///< own_stamp() of the program that ran it
  std::string host;
  std::vector<BoardRow> rows;  ///< in the board's order
};

void write_results(const std::filesystem::path& file, const BoardResults& results);

/// Throws DataError for a file that is no board's results or of another format.
BoardResults read_results(const std::filesystem::path& file);

/// Fills in the ranks by `rank_by`.
void rank_rows(BoardResults& results);

/// The rows as tables show them: by rank, those without a score last.
std::vector<const BoardRow*> rows_by_rank(const BoardResults& results);

/// Rows of several files of one board. Throws DataError naming what differs when they must not be
/// compared.
BoardResults joined(const std::vector<BoardResults>& parts);

}  // namespace momap
