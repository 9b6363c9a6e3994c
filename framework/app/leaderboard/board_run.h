// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/board.h>

#include <filesystem>

#include "options.h"

namespace momap {

/// The job that scores the entry of a row.
Job scored_job(const Board& board, const BoardRow& row);

/// Scores and times the entries of a board into a folder. An entry that fails is a row with the
/// reason. Throws ConfigError and Cancelled.
BoardResults run_board(const Options& options, const Board& board, const Catalog& catalog,
                       const std::filesystem::path& folder);

}  // namespace momap
