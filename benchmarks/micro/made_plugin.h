// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/plugin/loader.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

namespace momap {

/// A plugin of this build with other parameters than its defaults; `library` where it is not named
/// as the plugin.
template <class Interface>
std::shared_ptr<Interface> make(const std::string& id, const ParamValues& changes = {},
                                const std::string& library = "") {
  const auto opened = PluginLibrary::open(std::filesystem::path(MOMAP_PLUGINS_FOLDER) /
                                          ((library.empty() ? id : library) + ".so"));
  const auto described = opened->describe();
  ParamValues values = default_values(std::ranges::find(described, id, &PluginInfo::id)->params);
  for (auto& [name, value] : values) {
    for (const auto& [changed, to] : changes) {
      if (name == changed) value = to;
    }
  }
  return opened->make<Interface>(id, values);
}

}  // namespace momap
