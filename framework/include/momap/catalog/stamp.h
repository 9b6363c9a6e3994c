// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace momap {

/// Why a library cannot be used, and what to do about it.
struct LibraryProblem {
  std::filesystem::path path;
  std::string reason;
  std::string remedy;

  std::string text() const;  ///< "path: reason; remedy"
};

/// The stamp this program was built with.
const std::string& own_stamp();

/// Reads the stamp from the file alone (nothing is loaded or run) and compares it with ours.
std::optional<LibraryProblem> check_stamp(const std::filesystem::path& library);

}  // namespace momap
