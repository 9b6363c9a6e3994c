// SPDX-License-Identifier: Apache-2.0
#include "data_card.h"

#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/catalog/catalog.h>
#include <momap/graph/yaml.h>
#include <momap/params/params.h>

#include <algorithm>

namespace momap {
namespace {

namespace fs = std::filesystem;

// The sections of a card, each checked as parameters are.
struct Head {
  std::string name, title, homepage, licence, citation, obtain, checksums;
  std::vector<std::string> truth, splits;

  static auto schema() {
    return std::tuple{
        param("name", &Head::name, "As its folder.").required(),
        param("title", &Head::title, "Full name.").required(),
        param("homepage", &Head::homepage, "Where it comes from.").required(),
        param("licence", &Head::licence, "What its makers allow.").required(),
        param("citation", &Head::citation, "The paper to cite.").required(),
        param("obtain", &Head::obtain, "How a user gets it.").required(),
        param("checksums", &Head::checksums, "What can be compared with what.").required(),
        param("truth", &Head::truth, "Members of Clip that are filled."),
        param("splits", &Head::splits, "Names and sizes of the parts.")};
  }
};

struct Conventions {
  std::string depth, camera, units, frames;

  static auto schema() {
    return std::tuple{
        param("depth", &Conventions::depth, "Along z or the ray; unknown values.").required(),
        param("camera", &Conventions::camera, "Intrinsics, axes and direction of poses.")
            .required(),
        param("units", &Conventions::units, "Of lengths and flow.").required(),
        param("frames", &Conventions::frames, "Numbering and rate.").required()};
  }
};

struct Files {
  std::string path, holds;
  int64_t count = 0;
  bool optional = false;

  static auto schema() {
    return std::tuple{
        param("path", &Files::path, "Pattern below the data set's folder.").required(),
        param("holds", &Files::holds, "What they hold.").required(),
        param("count", &Files::count, "Files in the whole set.").at_least(0),
        param("optional", &Files::optional, "The reader does without.")};
  }
};

const Config& section(const Config& card, const char* key, Config::Kind kind, Problems& problems) {
  static const Config kNothing;
  const Config* found = card.find(key);
  if (found && found->kind() == kind) return *found;
  problems.add(found ? found->mark() : card.mark(),
               fmt::format("the card's '{}' is {}; expected a {}", key,
                           found ? found->describe() : "missing",
                           kind == Config::Kind::list ? "list" : "map"));
  return kNothing;
}

template <class Section>
Section read_section(const Config& config, const std::string& owner, Problems& problems) {
  return from_values<Section>(check_params(schema_of<Section>(), config, owner, "", problems));
}

bool leaves_folder(const fs::path& path) {
  return path.is_absolute() || std::ranges::find(path, "..") != path.end();
}

}  // namespace

DataCard read_data_card(const fs::path& file) {
  const Config card = read_yaml(file);
  Problems problems;
  if (!card.is_map()) {
    problems.add(card.mark(), "a card is a map of name, title, licence ...");
    problems.throw_if_any();
  }
  std::vector<Config::Entry> rest;
  for (const auto& entry : card.entries()) {
    if (entry.key != "conventions" && entry.key != "layout" && entry.key != "reader") {
      rest.push_back(entry);
    }
  }
  const auto head = read_section<Head>(Config::map(rest, card.mark()), "card", problems);
  const auto conventions = read_section<Conventions>(
      section(card, "conventions", Config::Kind::map, problems), "conventions", problems);
  DataCard out;
  out.file = file;
  for (const auto& item : section(card, "layout", Config::Kind::list, problems).items()) {
    const auto files = read_section<Files>(item, "layout", problems);
    if (leaves_folder(files.path)) {
      problems.add(item.mark(), fmt::format("path = {} is outside of the data set's folder",
                                            printable(files.path)));
    }
    out.layout.push_back({files.path, files.holds, files.count, files.optional});
  }
  const Config& reader = section(card, "reader", Config::Kind::map, problems);
  const Config* use = reader.find("use");
  if (use && use->is_scalar()) {
    out.reader = use->text();
  } else {
    problems.add(reader.mark(), "the card's 'reader' does not name a plugin",
                 "for example  reader: {use: source/sintel, with: {frames: 2}}");
  }
  if (const Config* with = reader.find("with")) out.with = *with;
  if (head.name != file.parent_path().filename().string()) {
    problems.add(card.mark(), fmt::format("name = {} differs from the card's folder {}",
                                          printable(head.name), shown(file.parent_path())));
  }
  problems.throw_if_any();
  out.name = head.name;
  out.title = head.title;
  out.homepage = head.homepage;
  out.licence = head.licence;
  out.citation = head.citation;
  out.obtain = head.obtain;
  out.checksums = head.checksums;
  out.truth = head.truth;
  out.splits = head.splits;
  out.depth = conventions.depth;
  out.camera = conventions.camera;
  out.units = conventions.units;
  out.frames = conventions.frames;
  return out;
}

fs::path data_card_folder() { return install_root() / "share/momap-datasets"; }

std::vector<std::string> data_card_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(data_card_folder(), error), end; !error && entry != end;
       entry.increment(error)) {
    if (fs::exists(entry->path() / "card.yaml")) {
      names.push_back(entry->path().filename().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace momap
