// SPDX-License-Identifier: Apache-2.0
#include "associations.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "formats/files.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr double kLongestGap = 0.02;  // s

struct Line {
  double seconds = 0;
  std::string rest;
};

// "timestamp rest" lines in order of time; '#' starts a comment.
std::vector<Line> read_list(const fs::path& path) {
  std::vector<Line> lines;
  std::istringstream text(formats::read_bytes(path, 256 << 20));
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const size_t end = line.find_first_of(" \t,", begin);
    const auto stamp = formats::parse_numbers(std::string_view(line).substr(begin, end - begin));
    const size_t rest =
        end == std::string::npos ? std::string::npos : line.find_first_not_of(" \t,", end);
    if (!stamp || stamp->size() != 1 || rest == std::string::npos) {
      throw DataError(fmt::format("{}:{}: '{}' is not a time stamp and a value", shown(path),
                                  number, printable(line)));
    }
    lines.push_back({(*stamp)[0], line.substr(rest)});
  }
  if (lines.empty()) throw DataError(fmt::format("{}: has no entry", shown(path)));
  std::ranges::stable_sort(lines, {}, &Line::seconds);
  return lines;
}

const Line* nearest(const std::vector<Line>& lines, double seconds) {
  const auto after = std::ranges::lower_bound(lines, seconds, {}, &Line::seconds);
  const Line* best = after != lines.end() ? &*after : nullptr;
  if (after != lines.begin()) {
    const Line* before = &*(after - 1);
    if (!best || seconds - before->seconds <= best->seconds - seconds) best = before;
  }
  return best && std::abs(best->seconds - seconds) <= kLongestGap ? best : nullptr;
}

// A list names files inside the sequence's folder only.
std::string inside(const std::string& name, const fs::path& list) {
  const fs::path path(name);
  const bool leaves = path.is_absolute() || std::ranges::find(path, "..") != path.end();
  if (leaves) {
    throw DataError(fmt::format("{}: names '{}', which is outside of the sequence's folder",
                                shown(list), printable(name)));
  }
  return name;
}

}  // namespace

std::vector<RgbdFrame> associate(const fs::path& folder) {
  const auto depths = read_list(folder / "depth.txt");
  const auto poses = read_list(folder / "groundtruth.txt");
  std::vector<RgbdFrame> frames;
  for (const Line& line : read_list(folder / "rgb.txt")) {
    const Line* depth = nearest(depths, line.seconds);
    const Line* pose = nearest(poses, line.seconds);
    if (!depth || !pose) continue;
    const auto p = formats::parse_numbers(pose->rest);
    if (!p || p->size() != 7) {
      throw DataError(
          fmt::format("{}: the entry of {:.6f} s is '{}'; expected tx ty tz qx qy qz qw",
                      shown(folder / "groundtruth.txt"), pose->seconds, printable(pose->rest)));
    }
    const auto& v = *p;
    frames.push_back({.seconds = line.seconds,
                      .rgb = inside(line.rest, folder / "rgb.txt"),
                      .depth = inside(depth->rest, folder / "depth.txt"),
                      .quaternion_wxyz = {v[6], v[3], v[4], v[5]},
                      .translation = {v[0], v[1], v[2]}});
  }
  return frames;
}

}  // namespace momap
