// SPDX-License-Identifier: Apache-2.0
#include "seal.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>

#include "catalogue.h"

namespace momap {

namespace fs = std::filesystem;

fs::path seal_file(const fs::path& folder) { return folder / "catalogue.xxh3"; }

void write_seal(const fs::path& folder) {
  write_file(seal_file(folder), file_hash(Catalogue::file_in(folder)) + "\n");
}

bool remove_seal(const fs::path& folder) {
  std::error_code error;
  fs::remove(seal_file(folder), error);
  if (error) {
    throw ConfigError(fmt::format("{}: cannot be removed: {}; choose a folder that can be written",
                                  shown(seal_file(folder)), error.message()));
  }
  return true;
}

std::optional<std::string> read_seal(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(seal_file(folder), error)) return std::nullopt;
  return read_file(seal_file(folder), 1024);
}

}  // namespace momap
