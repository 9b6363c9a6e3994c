// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/board.h>

#include <string>

namespace momap {

/// The rows by rank, as "text" or "markdown" with the board's name above, or as "csv", "jsonl" or
/// "latex" without. Throws ConfigError for another format.
std::string board_text(const BoardResults& results, const std::string& format);

}  // namespace momap
