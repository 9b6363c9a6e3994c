// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>
#include <momap/stage/stage.h>

#include <filesystem>
#include <memory>
#include <string>

namespace momap {

/// A plugin library held open. It stays open while this or any object made from it lives, and is
/// not unloaded at exit.
class PluginLibrary {
 public:
  /// Throws ConfigError with path, reason and remedy. Call `check_stamp` first.
  static std::shared_ptr<PluginLibrary> open(const std::filesystem::path& path);

  /// What the library holds; reads its records, makes no plugin object.
  std::vector<PluginInfo> describe() const;

  /// Makes a plugin object that keeps the library open. `values` are checked (`check_params`).
  template <class Interface>
  std::shared_ptr<Interface> make(const std::string& id, const ParamValues& values) const {
    return std::static_pointer_cast<Interface>(make_stage(id, values));
  }
  std::shared_ptr<Stage> make_stage(const std::string& id, const ParamValues& values) const;

 private:
  struct Handle;
  explicit PluginLibrary(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<Handle> handle_;
};

/// Loads and describes each library in a forked child of its own, so that one that crashes hurts
/// nobody. Call it before any thread is started.
std::vector<LibraryReport> describe_in_children(
    const std::vector<std::filesystem::path>& libraries);

}  // namespace momap
