// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace momap {

/// A finished catalogue is sealed by a file beside it that holds its checksum: SQLite has none for
/// its pages.
void write_seal(const std::filesystem::path& folder);

/// Before writing; true.
bool remove_seal(const std::filesystem::path& folder);

/// What is written in the seal, without the line's end; nothing when there is none.
std::optional<std::string> read_seal(const std::filesystem::path& folder);

std::filesystem::path seal_file(const std::filesystem::path& folder);

}  // namespace momap
