// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <tuple>

namespace momap {
namespace {

// The line with tabs as single spaces (so the caret fits), or nothing when it cannot be shown.
std::optional<std::string> source_line(const Mark& mark) {
  static constexpr size_t kLongestShown = 160;
  std::ifstream in(mark.file, std::ios::binary);
  std::string line;
  for (int i = 0; i < mark.line; ++i) {
    if (!std::getline(in, line)) return std::nullopt;
  }
  std::replace(line.begin(), line.end(), '\t', ' ');
  if (line.size() > kLongestShown) {
    if (static_cast<size_t>(mark.column) > kLongestShown) return std::nullopt;
    line.resize(kLongestShown);
  }
  return printable(line);
}

std::string render(const Problem& problem) {
  const Mark& mark = problem.mark;
  std::string out;
  if (!mark.file.empty()) out += printable(mark.file) + ":";
  if (mark.line > 0) out += fmt::format("{}:{}:", mark.line, mark.column);
  out += fmt::format("{}error: {}\n", out.empty() ? "" : " ", problem.message);
  if (mark.line > 0 && !mark.file.empty()) {
    if (const auto line = source_line(mark)) {
      out += fmt::format("  {}\n  {:>{}}\n", *line, "^", std::max(mark.column, 1));
    }
  }
  if (!problem.hint.empty()) out += fmt::format("  {}\n", problem.hint);
  return out;
}

}  // namespace

std::string Problems::report() const {
  auto sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.mark.file, a.mark.line, a.mark.column) <
           std::tie(b.mark.file, b.mark.line, b.mark.column);
  });
  std::string out;
  for (const auto& problem : sorted) out += render(problem);
  if (!out.empty()) out.pop_back();
  return out;
}

void Problems::throw_if_any() const {
  if (!empty()) throw ConfigError(report());
}

}  // namespace momap
