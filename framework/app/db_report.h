// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace momap {

/// Writes `report.html` into a database: what is in it, what was dropped and why, and pictures of
/// samples. The page needs no other file. Returns its path.
std::filesystem::path write_database_report(const std::filesystem::path& folder);

}  // namespace momap
