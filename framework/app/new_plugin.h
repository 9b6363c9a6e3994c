// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace momap {

/// Writes <folder>/<name> with a minimal working plugin of the stage in `id` ("stage/name") and its
/// CMakeLists.txt. Returns what to do next. Throws ConfigError for a bad id or when the folder
/// exists.
std::string write_new_plugin(const std::string& id, const std::filesystem::path& folder);

}  // namespace momap
