// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>

#include <string>

namespace momap {

/// For the terminal; the lower half is YAML ready to paste under `with:`.
std::string describe_text(const PluginInfo& plugin);

/// Machine-readable: id, version, stage, inputs, output, parameters with type, default, range, unit
/// and help.
std::string describe_json(const PluginInfo& plugin);

/// The plugin's documentation page.
std::string describe_markdown(const PluginInfo& plugin);

/// JSON Schema (2020-12) of the plugin's `with:` mapping, for editors.
std::string describe_json_schema(const PluginInfo& plugin);

/// One line a plugin, grouped by stage in flow order.
std::string list_text(const Catalog& catalog);
std::string list_json(const Catalog& catalog);

}  // namespace momap
