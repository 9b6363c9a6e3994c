// SPDX-License-Identifier: Apache-2.0
#include "data_command.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/data/datum.h>
#include <momap/plugin/loader.h>
#include <momap/stage/source.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data_card.h"
#include "interrupt.h"
#include "run_command.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A list of `xxhsum -H2` lines in the data set's folder, which the user makes once from a copy that
// is known to be good.
constexpr const char* kManifest = "momap-manifest.txt";
constexpr int64_t kProbes = 3;  // samples read: the first, the middle and the last

struct Finding {
  enum class Verdict { ok, absent, wrong };
  Verdict verdict;
  std::string what, detail;
};

const char* word(Finding::Verdict verdict) {
  switch (verdict) {
    case Finding::Verdict::ok:
      return "ok";
    case Finding::Verdict::absent:
      return "absent";
    case Finding::Verdict::wrong:
      break;
  }
  return "WRONG";
}

// Files below `folder` that fit a pattern, part by part; nothing is kept.
int64_t count_files(const fs::path& folder, fs::path::const_iterator part,
                    fs::path::const_iterator end) {
  const std::string wanted = part->string();
  const bool last = std::next(part) == end;
  std::error_code error;
  if (wanted.find_first_of("*?[") == std::string::npos) {
    if (last) return fs::is_regular_file(folder / wanted, error) ? 1 : 0;
    return count_files(folder / wanted, std::next(part), end);
  }
  int64_t count = 0;
  for (fs::directory_iterator entry(folder, error), stop; !error && entry != stop;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (::fnmatch(wanted.c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
    std::error_code ignored;
    if (last) {
      count += entry->is_regular_file(ignored) ? 1 : 0;
    } else if (entry->is_directory(ignored)) {
      count += count_files(entry->path(), std::next(part), end);
    }
  }
  return count;
}

Finding check_files(const DataCard::Files& files, const fs::path& folder) {
  const fs::path pattern(files.path);
  const int64_t found = count_files(folder, pattern.begin(), pattern.end());
  if (found == 0) {
    return {files.optional ? Finding::Verdict::absent : Finding::Verdict::wrong, files.path,
            fmt::format("no such file ({})", files.holds)};
  }
  if (files.count > 0 && found != files.count) {
    return {Finding::Verdict::wrong, files.path,
            fmt::format("{} files; expected {} ({})", found, files.count, files.holds)};
  }
  return {Finding::Verdict::ok, files.path, fmt::format("{} files ({})", found, files.holds)};
}

// The card's parameters with the folder put in, checked as a graph's would be.
ParamValues reader_values(const DataCard& card, const PluginInfo& plugin, const fs::path& folder) {
  std::vector<Config::Entry> entries = card.with.entries();
  std::erase_if(entries, [](const Config::Entry& entry) { return entry.key == "path"; });
  Config::Entry path;
  path.key = "path";
  path.value = Config::scalar(folder.string(), {}, /*quoted=*/true);
  entries.push_back(std::move(path));
  Problems problems;
  auto values = check_params(plugin.params, Config::map(entries, card.with.mark()),
                             fmt::format("the reader of '{}'", card.name), "", problems);
  problems.throw_if_any();
  return values;
}

const PluginInfo& reader_of(const DataCard& card, const Catalog& catalog) {
  const PluginInfo* plugin = catalog.find(card.reader);
  if (plugin) return *plugin;
  throw ConfigError(fmt::format("{}: no plugin '{}'{}", shown(card.file), printable(card.reader),
                                suggestion(card.reader, catalog.ids("source"))));
}

void check_samples(const DataCard& card, const Catalog& catalog, const fs::path& folder,
                   std::vector<Finding>& findings) {
  const PluginInfo& plugin = reader_of(card, catalog);
  const auto source = PluginLibrary::open(plugin.library)
                          ->make<Source>(plugin.id, reader_values(card, plugin, folder));
  const std::function<bool()> cancelled = interrupted;
  Context context;
  context.cancelled = &cancelled;
  int64_t last = -1;
  try {
    const int64_t size = source->size();
    findings.push_back({Finding::Verdict::ok, card.reader, fmt::format("{} samples", size)});
    for (int64_t k = 0; k < kProbes; ++k) {
      const int64_t i = k * (size - 1) / (kProbes - 1);
      if (i == last) continue;
      last = i;
      context.check_cancelled();
      context.sample = source->name(i);
      const Datum clip = source->sample(i, context);
      check(clip, plugin.id);
      findings.push_back({Finding::Verdict::ok, "sample " + context.sample, describe(clip)});
    }
  } catch (const Cancelled&) {
    throw;
  } catch (const std::exception& error) {
    const std::string what = last < 0 ? card.reader : "sample " + std::to_string(last);
    findings.push_back({Finding::Verdict::wrong, what, error.what()});
  }
}

void check_manifest(const fs::path& folder, std::vector<Finding>& findings) {
  const fs::path manifest = folder / kManifest;
  if (!fs::exists(manifest)) {
    findings.push_back({Finding::Verdict::absent, kManifest,
                        "no checksums; to make them from a copy known to be good, in its folder: "
                        "find . -type f ! -name momap-manifest.txt | sort | "
                        "xargs -d '\\n' xxhsum -H2 > momap-manifest.txt"});
    return;
  }
  std::istringstream lines(read_file(manifest, uint64_t{1} << 30));
  int64_t checked = 0, wrong = 0, number = 0;
  for (std::string line; std::getline(lines, line);) {
    if (interrupted()) throw Cancelled();
    ++number;
    static constexpr size_t kDigits = 32;
    if (line.size() < kDigits + 3 || line.substr(kDigits, 2) != "  ") {
      throw ConfigError(
          fmt::format("{}:{}: expected '<32 digits>  <file>'", shown(manifest), number));
    }
    const fs::path file = folder / line.substr(kDigits + 2);
    ++checked;
    const bool there = fs::is_regular_file(file);
    if (there && file_hash(file) == line.substr(0, kDigits)) continue;
    ++wrong;
    findings.push_back({Finding::Verdict::wrong, line.substr(kDigits + 2),
                        there ? "its content differs from the manifest" : "missing"});
  }
  if (wrong == 0) {
    findings.push_back(
        {Finding::Verdict::ok, kManifest, fmt::format("{} files as listed", checked)});
  }
}

std::vector<Finding> check_copy(const DataCard& card, const Catalog& catalog,
                                const fs::path& folder) {
  std::vector<Finding> findings;
  if (!fs::is_directory(folder)) {
    findings.push_back({Finding::Verdict::wrong, shown(folder), "there is no such folder"});
    return findings;
  }
  for (const auto& files : card.layout) findings.push_back(check_files(files, folder));
  check_samples(card, catalog, folder, findings);
  check_manifest(folder, findings);
  return findings;
}

DataCard card_named(const std::string& name) {
  const auto names = data_card_names();
  if (std::ranges::find(names, name) == names.end()) {
    throw ConfigError(
        fmt::format("no data set '{}' has a card{}", printable(name), suggestion(name, names)));
  }
  return read_data_card(data_card_folder() / name / "card.yaml");
}

// Every card, read and checked with its reader's parameters.
int list_cards(const Options& options, const Catalog& catalog) {
  json rows = json::array();
  for (const auto& name : data_card_names()) {
    const DataCard card = card_named(name);
    reader_values(card, reader_of(card, catalog), ".");
    rows.push_back({{"name", card.name},
                    {"title", card.title},
                    {"reader", card.reader},
                    {"truth", card.truth},
                    {"homepage", card.homepage},
                    {"licence", card.licence},
                    {"card", shown(card.file)}});
    if (!options.json) {
      fmt::print("{:<18} {:<26} {}\n", card.name, card.reader, join(card.truth, ", "));
    }
  }
  if (options.json) {
    fmt::print("{}\n", rows.dump(2));
  } else {
    fmt::print("\nCheck a copy: momap doctor --data NAME=FOLDER; cards: {}\n",
               shown(data_card_folder()));
  }
  return kExitOk;
}

}  // namespace

int data_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  if (options.data.empty()) return list_cards(options, catalog);
  bool sound = true;
  json report = json::object();
  for (const auto& argument : options.data) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals + 1 == argument.size()) {
      throw ConfigError(fmt::format("--data {}: expected NAME=FOLDER, as sintel=/data/sintel",
                                    printable(argument)));
    }
    const DataCard card = card_named(argument.substr(0, equals));
    const fs::path folder = argument.substr(equals + 1);
    if (!options.json) fmt::print("{} in {}\n", card.title, shown(folder));
    json rows = json::array();
    for (const auto& finding : check_copy(card, catalog, folder)) {
      sound = sound && finding.verdict != Finding::Verdict::wrong;
      rows.push_back({{"verdict", word(finding.verdict)},
                      {"what", printable(finding.what)},
                      {"detail", printable(finding.detail)}});
      if (!options.json) {
        fmt::print("  {:<7} {:<44} {}\n", word(finding.verdict), printable(finding.what),
                   printable(finding.detail));
      }
    }
    report[card.name] = {{"folder", shown(folder)}, {"findings", rows}};
  }
  if (options.json) fmt::print("{}\n", report.dump(2));
  return sound ? kExitOk : kExitData;
}

}  // namespace momap
