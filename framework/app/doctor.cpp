// SPDX-License-Identifier: Apache-2.0
#include "doctor.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/catalog/stamp.h>
#include <sys/sysinfo.h>

#include <boost/process.hpp>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

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

// Of the file system that holds `path`, or will: the nearest folder above it that exists is asked.
uint64_t free_bytes(fs::path path) {
  std::error_code error;
  path = fs::absolute(path, error);
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  const auto space = fs::space(path, error);
  return error ? 0 : space.available;
}

uint64_t memory_bytes() {
  struct sysinfo info {};
  ::sysinfo(&info);
  return uint64_t{info.totalram} * info.mem_unit;
}

json counts_by_stage(const Catalog& catalog) {
  json counts = json::object();
  for (const auto& stage : kStages) {
    if (const size_t count = catalog.ids(stage.name).size())
      counts[std::string(stage.name)] = count;
  }
  return counts;
}

// What `--launcher slurm` needs.
std::string slurm() {
  const auto sbatch = boost::process::search_path("sbatch");
  return sbatch.empty() ? "not installed; jobs run on this machine" : sbatch.string();
}

// What makes things slow here although it works.
json advice(const json& engine) {
  json out = json::array();
  const std::string blas = engine.value("blas", "");
  if (blas.find("/blas/libblas.so") != blas.npos) {
    out.push_back(
        "BLAS is the reference implementation, which makes training 2 to 4 times slower; "
        "apt install libopenblas0-pthread");
  }
  if (blas.find("/openblas-serial/") != blas.npos) {
    out.push_back(
        "BLAS is OpenBLAS without locks, which computes wrongly when several threads call it, as "
        "training does; apt install libopenblas0-pthread and remove libopenblas0-serial");
  }
  return out;
}

json report(const Options& options, const Catalog& catalog) {
  const fs::path cache = user_cache_folder();
  const json engine = engine_report();
  json folders = json::array();
  for (const auto& folder : plugin_folders(options.plugins)) {
    folders.push_back({{"folder", shown(folder)}, {"exists", fs::is_directory(folder)}});
  }
  return {{"momap", MOMAP_VERSION},
          {"built for", own_stamp()},
          {"cores", std::thread::hardware_concurrency()},
          {"install", shown(install_root())},
          {"engine", engine},
          {"memory bytes", memory_bytes()},
          {"cache", {{"folder", shown(cache)}, {"free bytes", free_bytes(cache)}}},
          {"here", {{"folder", shown(fs::current_path())}, {"free bytes", free_bytes(".")}}},
          {"slurm", slurm()},
          {"plugin folders", folders},
          {"plugins", catalog.plugins().size()},
          {"plugins by stage", counts_by_stage(catalog)},
          {"unusable libraries", catalog.problems().size()},
          {"advice", advice(engine)}};
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
  line("memory", human_bytes(r["memory bytes"].get<double>()));
  for (const char* what : {"cache", "here"}) {
    line(what, fmt::format("{}  ({} free)", r[what]["folder"].get<std::string>(),
                           human_bytes(r[what]["free bytes"].get<double>())));
  }
  line("slurm", r["slurm"]);
  for (const auto& folder : r["plugin folders"]) {
    line("plugins", folder["folder"].get<std::string>() + (folder["exists"] ? "" : "  (none)"));
  }
  std::vector<std::string> counts;
  for (const auto& stage : kStages) {
    const auto count = r["plugins by stage"].find(std::string(stage.name));
    if (count != r["plugins by stage"].end())
      counts.push_back(fmt::format("{} {}", count->get<size_t>(), stage.name));
  }
  line("found", fmt::format("{} plugins ({}), {} unusable libraries", r["plugins"].get<size_t>(),
                            join(counts, ", "), r["unusable libraries"].get<size_t>()));
  for (const auto& text : r["advice"]) line("advice", text);
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
