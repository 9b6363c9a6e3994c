// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>

namespace momap::testing {

/// Sample data beside the checkout that is not part of the product: $MOMAP_SHARED or
/// <source>/../shared. Tests that use it skip, with this path as the reason, where it is absent.
inline std::filesystem::path shared_folder() {
  const char* given = std::getenv("MOMAP_SHARED");
  return given ? std::filesystem::path(given)
               : std::filesystem::path(MOMAP_SOURCE_DIR).parent_path() / "shared";
}

}  // namespace momap::testing
