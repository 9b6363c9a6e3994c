// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/record.h>
#include <momap/catalog/stages.h>
#include <momap/catalog/stamp.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace momap {

/// All that is known of a plugin without loading it.
struct PluginInfo {
  std::string id;  ///< "stage/name"
  uint32_t version = 0;
  std::string summary;
  std::vector<Port> inputs;
  Concurrency concurrency = Concurrency::parallel;
  bool uses_seed = false;
  ParamSchema params;
  std::filesystem::path library;
  std::string library_hash;  ///< content hash of `library`

  std::string stage() const { return id.substr(0, id.find('/')); }
  Kind output() const { return find_stage(stage())->output; }
};

/// What one library turned out to hold: its plugins, or why it cannot be used.
struct LibraryReport {
  std::vector<PluginInfo> plugins;
  std::vector<LibraryProblem> problems;
};

/// Describes libraries by loading each in a process of its own, in the order given.
using DescribeLibraries =
    std::function<std::vector<LibraryReport>(const std::vector<std::filesystem::path>&)>;

/// The plugins that can be used here, read without loading them.
///
/// A library is described once and remembered by its content hash: in `catalog.json` of its plugin
/// folder (written at build time) or in the user's cache folder.
class Catalog {
 public:
  /// Looks through `folders` (see `plugin_folders`) in order, each with its subfolders.
  static Catalog read(const std::vector<std::filesystem::path>& folders,
                      const DescribeLibraries& describe);

  /// In flow order, then by name.
  const std::vector<PluginInfo>& plugins() const { return plugins_; }
  const std::vector<LibraryProblem>& problems() const { return problems_; }

  const PluginInfo* find(std::string_view id) const;

  /// Ids that more than one library claims; they cannot be used. The text names the files.
  const std::map<std::string, std::string>& duplicates() const { return duplicates_; }

  /// Ids of one stage, or all for an empty stage.
  std::vector<std::string> ids(std::string_view stage = {}) const;

 private:
  void add(const LibraryReport& report);

  std::vector<PluginInfo> plugins_;
  std::vector<LibraryProblem> problems_;
  std::map<std::string, std::string> duplicates_;
};

/// Search order: `given` (--plugins), $MOMAP_PLUGIN_PATH, the user's data folder, the install's
/// folder. Throws ConfigError for a given folder that does not exist.
std::vector<std::filesystem::path> plugin_folders(const std::vector<std::string>& given);

/// Describes every library below `folder` into `folder/catalog.json` (a build and install step).
void write_folder_catalog(const std::filesystem::path& folder, const DescribeLibraries& describe);

/// The installation this program belongs to: <root>/bin, <root>/lib/momap/plugins,
/// <root>/libexec/momap ...
std::filesystem::path install_root();

/// JSON text of reports and back; what the describing child process prints.
std::string reports_to_json(const std::vector<LibraryReport>& reports);
std::vector<LibraryReport> reports_from_json(const std::string& text);

}  // namespace momap
