// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/base/config.h>

#include <string>
#include <utility>
#include <vector>

namespace momap {

/// Keys of a graph and the values (YAML) they are set to: {"warp.with.radius", "2"}.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// "warp.with.radius=2 warp.use=warping/mesh"
std::string text_of(const Settings& settings);

/// "key=value" for each, as GraphOptions::overrides takes them.
std::vector<std::string> overrides_of(const Settings& settings);

/// A value as YAML on one line.
std::string flow_text(const Config& value);

/// The settings of a map. Values that are maps themselves are refused.
Settings settings_of(const Config& map, Problems& problems);

/// Whether all of `wanted` stand in `settings`.
bool contains(const Settings& settings, const Settings& wanted);

/// `settings` with those of `more` put behind, or in place of those of the same key.
Settings merged(Settings settings, const Settings& more);

}  // namespace momap
