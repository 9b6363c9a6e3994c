// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/catalog/catalog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCatalogFile = "catalog.json";

// Adds what is in the folder and two levels below; folders that cannot be read are problems.
void find_libraries(const fs::path& folder, int levels, std::vector<fs::path>& found,
                    std::vector<LibraryProblem>& problems) {
  std::error_code error;
  fs::directory_iterator it(folder, error);
  if (error == std::errc::no_such_file_or_directory) return;
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      if (levels > 0) find_libraries(it->path(), levels - 1, found, problems);
    } else if (it->path().extension() == ".so") {
      found.push_back(it->path());
    }
  }
  if (error) {
    problems.push_back({folder, fmt::format("the folder cannot be read: {}", error.message()),
                        "make it readable, or leave it out"});
  }
}

std::vector<fs::path> libraries_below(const fs::path& folder,
                                      std::vector<LibraryProblem>& problems) {
  std::vector<fs::path> found;
  find_libraries(folder, 2, found, problems);
  std::ranges::sort(found);
  return found;
}

// Reports by content hash; a catalogue that cannot be read is as good as none, it is only a memory.
std::map<std::string, LibraryReport> remembered(const fs::path& file) {
  std::map<std::string, LibraryReport> known;
  std::error_code error;
  if (!fs::exists(file, error)) return known;
  try {
    for (auto& report : reports_from_json(read_file(file))) {
      if (!report.plugins.empty()) known[report.plugins[0].library_hash] = std::move(report);
    }
  } catch (const std::exception&) {
    known.clear();
  }
  return known;
}

void remember(const fs::path& file, const std::map<std::string, LibraryReport>& known) {
  std::vector<LibraryReport> reports;
  for (const auto& [hash, report] : known) reports.push_back(report);
  try {
    write_file(file, reports_to_json(reports));
  } catch (const ConfigError&) {
    // A read-only cache folder costs time at the next start, nothing else.
  }
}

// Other builds of momap keep their memories apart.
fs::path user_catalog() {
  return user_cache_folder() /
         fmt::format("plugins-{}.json", content_hash(own_stamp()).substr(0, 8));
}

// What is known of the libraries without loading any; those left to describe are returned in
// `unknown`.
std::vector<LibraryReport> reports_without_loading(
    const std::vector<fs::path>& libraries, const std::map<std::string, LibraryReport>& known,
    std::vector<size_t>& unknown) {
  std::vector<LibraryReport> reports(libraries.size());
  for (size_t i = 0; i < libraries.size(); ++i) {
    if (auto problem = check_stamp(libraries[i])) {
      reports[i].problems.push_back(std::move(*problem));
      continue;
    }
    const auto found = known.find(file_hash(libraries[i]));
    if (found == known.end()) {
      unknown.push_back(i);
      continue;
    }
    reports[i] = found->second;
    for (auto& plugin : reports[i].plugins) plugin.library = libraries[i];
  }
  return reports;
}

}  // namespace

Catalog Catalog::read(const std::vector<fs::path>& folders, const DescribeLibraries& describe) {
  auto in_user_cache = remembered(user_catalog());
  auto known = in_user_cache;
  Catalog catalog;
  std::vector<fs::path> libraries;
  for (const auto& folder : folders) {
    known.merge(remembered(folder / kCatalogFile));
    for (auto& library : libraries_below(folder, catalog.problems_)) {
      std::error_code error;
      const bool seen = std::ranges::any_of(
          libraries, [&](const fs::path& other) { return fs::equivalent(library, other, error); });
      if (!seen) libraries.push_back(std::move(library));
    }
  }
  std::vector<size_t> unknown;
  auto reports = reports_without_loading(libraries, known, unknown);
  if (!unknown.empty()) {
    std::vector<fs::path> paths;
    for (const size_t i : unknown) paths.push_back(libraries[i]);
    auto described = describe(paths);
    for (size_t k = 0; k < unknown.size(); ++k) {
      if (!described.at(k).plugins.empty()) {
        in_user_cache[described[k].plugins[0].library_hash] = described[k];
      }
      reports[unknown[k]] = std::move(described[k]);
    }
    remember(user_catalog(), in_user_cache);
  }
  for (const auto& report : reports) catalog.add(report);
  std::ranges::sort(catalog.plugins_, {}, [](const PluginInfo& plugin) {
    return std::pair(stage_order(plugin.stage()), plugin.id);
  });
  return catalog;
}

void Catalog::add(const LibraryReport& report) {
  problems_.insert(problems_.end(), report.problems.begin(), report.problems.end());
  for (const auto& plugin : report.plugins) {
    const auto twin = std::ranges::find(plugins_, plugin.id, &PluginInfo::id);
    if (twin == plugins_.end() && !duplicates_.contains(plugin.id)) {
      plugins_.push_back(plugin);
      continue;
    }
    auto& text = duplicates_[plugin.id];
    if (twin != plugins_.end()) {
      text = shown(twin->library);
      plugins_.erase(twin);
    }
    text += fmt::format(" and {}", shown(plugin.library));
  }
}

const PluginInfo* Catalog::find(std::string_view id) const {
  const auto found = std::ranges::find(plugins_, id, &PluginInfo::id);
  return found == plugins_.end() ? nullptr : &*found;
}

std::vector<std::string> Catalog::ids(std::string_view stage) const {
  std::vector<std::string> ids;
  for (const auto& plugin : plugins_) {
    if (stage.empty() || plugin.stage() == stage) ids.push_back(plugin.id);
  }
  return ids;
}

std::vector<fs::path> plugin_folders(const std::vector<std::string>& given) {
  std::vector<fs::path> folders;
  const auto add_required = [&](const std::string& folder, const char* origin) {
    if (!fs::is_directory(folder)) {
      throw ConfigError(fmt::format("{}: plugin folder '{}' does not exist or is not a folder",
                                    origin, printable(folder)));
    }
    std::error_code error;
    if (fs::directory_iterator(folder, error); error) {
      throw ConfigError(fmt::format("{}: plugin folder '{}' cannot be read: {}", origin,
                                    printable(folder), error.message()));
    }
    folders.emplace_back(folder);
  };
  for (const auto& folder : given) add_required(folder, "--plugins");
  if (const char* path = std::getenv("MOMAP_PLUGIN_PATH")) {
    for (const auto& folder : split(path, ':')) add_required(folder, "MOMAP_PLUGIN_PATH");
  }
  folders.push_back(user_data_folder() / "plugins");
  folders.push_back(install_root() / "lib/momap/plugins");
  return folders;
}

void write_folder_catalog(const fs::path& folder, const DescribeLibraries& describe) {
  std::vector<LibraryProblem> unreadable;
  const auto libraries = libraries_below(folder, unreadable);
  auto known = remembered(folder / kCatalogFile);
  std::vector<size_t> unknown;
  auto reports = reports_without_loading(libraries, known, unknown);
  std::vector<fs::path> paths;
  for (const size_t i : unknown) paths.push_back(libraries[i]);
  if (!paths.empty()) {
    auto described = describe(paths);
    for (size_t k = 0; k < unknown.size(); ++k) reports[unknown[k]] = std::move(described.at(k));
  }
  std::string unusable;
  for (const auto& problem : unreadable) unusable += problem.text() + "\n";
  for (const auto& report : reports) {
    for (const auto& problem : report.problems) unusable += problem.text() + "\n";
  }
  if (!unusable.empty()) throw ConfigError(unusable);
  for (auto& report : reports) {
    for (auto& plugin : report.plugins) plugin.library = plugin.library.lexically_relative(folder);
  }
  write_file(folder / kCatalogFile, reports_to_json(reports));
}

fs::path install_root() {
  static const fs::path root = [] {
    const fs::path self = fs::read_symlink("/proc/self/exe");
    fs::path folder = self.parent_path();
    while (folder.has_relative_path() && !fs::is_directory(folder / "lib/momap/plugins")) {
      folder = folder.parent_path();
    }
    return folder.has_relative_path() ? folder : self.parent_path().parent_path();
  }();
  return root;
}

}  // namespace momap
