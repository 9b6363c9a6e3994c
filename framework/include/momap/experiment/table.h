// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace momap {

/// A table of results, for people and for programs.
struct Table {
  struct Cell {
    std::string text;             ///< for people
    std::optional<double> value;  ///< for programs; absent: the text is the value
  };
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

/// As "text" (aligned), "markdown", "latex" (booktabs), "csv" or "jsonl" (an object a row). Throws
/// ConfigError for another format.
std::string table_text(const Table& table, const std::string& format);

}  // namespace momap
