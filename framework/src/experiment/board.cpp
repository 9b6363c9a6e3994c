// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/experiment/board.h>
#include <momap/graph/yaml.h>

#include <algorithm>

#include "board_params.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

// One entry: a map from open steps to what they are.
BoardEntry entry_of(const std::string& name, const Config& steps, const Mark& mark,
                    const std::vector<std::string>& open_steps, Problems& problems) {
  BoardEntry entry{.name = name, .steps = steps};
  if (!steps.is_map()) {
    problems.add(
        mark,
        fmt::format("entry '{}' is {}; expected a map of steps", printable(name), steps.describe()),
        "for example  my_entry: {warp: {use: warping/point_splat}}");
    return entry;
  }
  for (const auto& [step, step_mark, value] : steps.entries()) {
    if (std::ranges::count(open_steps, step) == 0) {
      problems.add(step_mark,
                   fmt::format("entry '{}': the board has no open step '{}'{}", printable(name),
                               printable(step), suggestion(step, open_steps)));
    } else if (!value.is_map() || !value.find("use")) {
      problems.add(value.mark(), fmt::format("entry '{}': step '{}' needs `use`, a plugin",
                                             printable(name), step));
    }
  }
  for (const auto& step : open_steps) {
    if (!steps.find(step)) {
      problems.add(
          mark, fmt::format("entry '{}' gives nothing for the step '{}'", printable(name), step));
    }
  }
  return entry;
}

void add_entry_file(Board& board, const fs::path& file, Problems& problems) {
  const Config root = read_yaml(file);
  const Config* name = root.find("entry");
  if (!name || !name->is_scalar() || name->text().empty()) {
    problems.add(root.mark(), "an entry needs `entry`, its name, and the board's open steps",
                 "for example  entry: mine  and  warp: {use: warping/mine}");
    return;
  }
  std::vector<Config::Entry> steps;
  for (const auto& part : root.entries()) {
    if (part.key != "entry") steps.push_back(part);
  }
  if (std::ranges::count(board.entries, name->text(), &BoardEntry::name) > 0) {
    problems.add(name->mark(),
                 fmt::format("the board has an entry '{}' already; choose another name",
                             printable(name->text())));
  }
  board.entries.push_back(entry_of(name->text(), Config::map(steps, root.mark()), name->mark(),
                                   board.open_steps, problems));
}

}  // namespace

Board read_board(const fs::path& file, const std::vector<fs::path>& entries) {
  Board board;
  board.file = file;
  board.root = read_yaml(file);
  Problems problems;
  const Config* section = board.root.find("board");
  if (!section || !section->is_map() || !board.root.find("steps")) {
    problems.add(board.root.mark(), "a leaderboard has `board` (the rules) and `steps` (the graph)",
                 "see configs/leaderboards");
    problems.throw_if_any();
  }
  std::vector<Config::Entry> plain;
  const Config* named = section->find("entries");
  for (const auto& part : section->entries()) {
    if (part.key != "entries") plain.push_back(part);
  }
  const ParamValues values = check_params(
      schema_of<BoardParams>(), Config::map(plain, section->mark()), "board", "", problems);
  problems.throw_if_any();
  const auto params = from_values<BoardParams>(values);
  board.title = params.title;
  board.version = params.version;
  board.data = params.data;
  board.samples = params.samples;
  board.open_steps = params.open_steps;
  board.rank_by = params.rank_by;
  board.show = params.show;
  std::erase(board.show, board.rank_by);
  board.show.insert(board.show.begin(), board.rank_by);
  board.baseline = params.baseline;
  board.speed_samples = params.speed_samples;
  board.speed_repeats = params.speed_repeats;
  board.limits.seconds = params.seconds;
  board.limits.memory_gib = params.memory_gib;
  board.limits.open_files = params.open_files;
  if (board.open_steps.empty()) {
    problems.add(section->mark(), "board: open_steps names no step, so there is nothing to enter");
  }
  if (std::ranges::count(board.show, kSpeedScore) > 0 && board.speed_samples == 0) {
    problems.add(section->mark(), fmt::format("board: {} is asked for, but speed_samples = 0 "
                                              "measures no speed",
                                              kSpeedScore));
  }
  if (named && named->is_map()) {
    for (const auto& [name, mark, steps] : named->entries()) {
      board.entries.push_back(entry_of(name, steps, mark, board.open_steps, problems));
    }
  }
  for (const auto& entry_file : entries) add_entry_file(board, entry_file, problems);
  std::vector<std::string> names;
  for (const auto& entry : board.entries) names.push_back(entry.name);
  for (const auto& control : params.controls) {
    const auto found = std::ranges::find(board.entries, control, &BoardEntry::name);
    if (found == board.entries.end()) {
      problems.add(section->mark(), fmt::format("board: controls: no entry '{}'{}",
                                                printable(control), suggestion(control, names)));
    } else {
      found->control = true;
    }
  }
  if (std::ranges::count(names, board.baseline) == 0) {
    problems.add(section->mark(),
                 fmt::format("board: baseline: no entry '{}'{}", printable(board.baseline),
                             suggestion(board.baseline, names)));
  }
  problems.throw_if_any();
  return board;
}

Graph entry_graph(const Board& board, const BoardEntry& entry, const Catalog& catalog) {
  Config root = board.root;
  Config& steps = root.at_or_insert("steps", root.mark());
  for (const auto& [step, mark, value] : entry.steps.entries()) {
    Config& open = steps.at_or_insert(step, mark);
    for (const auto& [key, key_mark, part] : value.entries())
      open.at_or_insert(key, key_mark) = part;
  }
  GraphOptions options;
  options.extension = "board";
  return check_graph(std::move(root), board.file, catalog, options);
}

}  // namespace momap
