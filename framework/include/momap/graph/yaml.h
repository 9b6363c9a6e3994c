// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>

#include <filesystem>
#include <string>

namespace momap {

/// Parses one YAML document. Throws ConfigError (with place and caret) for bad syntax, duplicate
/// keys, aliases that multiply without bound, nesting deeper than 64 and more than 200,000 values.
Config parse_yaml(const std::string& text, const std::string& file);

/// The same for a file.
Config read_yaml(const std::filesystem::path& path);

}  // namespace momap
