// SPDX-License-Identifier: Apache-2.0
#include "doctor.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/catalog/stamp.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "engine_process.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What the engine says of its libraries; its error where it does not start.
json engine_report() {
  try {
    return json::parse(engine_output({"describe-engine"}));
  } catch (const std::exception& error) {
    return {{"error", error.what()}};
  }
}

json report(const Options& options, const Catalog& catalog) {
  const fs::path cache = user_cache_folder();
  std::error_code error;
  const auto space = fs::space(fs::exists(cache) ? cache : fs::path("/"), error);
  json folders = json::array();
  for (const auto& folder : plugin_folders(options.plugins)) {
    folders.push_back({{"folder", shown(folder)}, {"exists", fs::is_directory(folder)}});
  }
  return {{"momap", MOMAP_VERSION},
          {"built for", own_stamp()},
          {"cores", std::thread::hardware_concurrency()},
          {"install", shown(install_root())},
          {"engine", engine_report()},
          {"cache", {{"folder", shown(cache)}, {"free bytes", error ? 0 : space.available}}},
          {"plugin folders", folders},
          {"plugins", catalog.plugins().size()},
          {"unusable libraries", catalog.problems().size()}};
}

void print_text(const json& r) {
  const auto line = [](const char* what, const std::string& value) {
    fmt::print("{:<10} {}\n", what, value);
  };
  line("momap", r["momap"]);
  line("built for", r["built for"]);
  line("cores", fmt::format("{}", r["cores"].get<int64_t>()));
  line("install", r["install"]);
  for (const auto& [what, value] : r["engine"].items()) line(what.c_str(), value);
  line("cache", fmt::format("{}  ({} free)", r["cache"]["folder"].get<std::string>(),
                            human_bytes(r["cache"]["free bytes"].get<double>())));
  for (const auto& folder : r["plugin folders"]) {
    line("plugins", folder["folder"].get<std::string>() + (folder["exists"] ? "" : "  (none)"));
  }
  line("found", fmt::format("{} plugins, {} unusable libraries", r["plugins"].get<size_t>(),
                            r["unusable libraries"].get<size_t>()));
}

}  // namespace

bool print_doctor(const Options& options, const Catalog& catalog) {
  const json r = report(options, catalog);
  if (options.json) {
    fmt::print("{}\n", r.dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    print_text(r);
  }
  return !r["engine"].contains("error");
}

}  // namespace momap
