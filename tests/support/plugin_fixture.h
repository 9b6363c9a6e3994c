// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/plugin/loader.h>
#include <momap/stage/stage.h>

#include <memory>
#include <string>

namespace momap::testing {

/// Makes a plugin of `library` from YAML parameters ("{levels: 3}"), checked as a graph would.
/// Throws ConfigError.
std::shared_ptr<Stage> make_stage(const std::string& library, const std::string& id,
                                  const std::string& yaml);

#ifdef MOMAP_PLUGIN_LIBRARY
/// Makes a plugin of the library under test (tests declared by momap_add_plugin).
template <class Interface>
std::shared_ptr<Interface> make_plugin(const std::string& id, const std::string& yaml = "{}") {
  return std::static_pointer_cast<Interface>(make_stage(MOMAP_PLUGIN_LIBRARY, id, yaml));
}
#endif

/// A context with this seed and sample name "test".
Context context(uint64_t seed = 1);

}  // namespace momap::testing
