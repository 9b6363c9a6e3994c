// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/board.h>

#include <string>
#include <vector>

#include "options.h"

namespace momap {

/// What is to be said of a submission.
struct BoardCheck {
  std::vector<std::string> findings;  ///< everything that is wrong with it
  std::vector<std::string> remarks;
  int rerun = 0;  ///< rows that were run again
};

/// Compares results with their board, its plugins and, for a random share of the rows
/// (`options.share`), with what they give when they are run again.
BoardCheck check_board(const Options& options, const Board& board, const Catalog& catalog,
                       const BoardResults& results);

}  // namespace momap
