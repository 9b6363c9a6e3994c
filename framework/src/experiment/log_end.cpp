// SPDX-License-Identifier: Apache-2.0
#include "log_end.h"

#include <momap/base/text.h>

#include <fstream>
#include <vector>

namespace momap {
namespace {

constexpr size_t kLinesShown = 5;
constexpr size_t kLongestLine = 400;

}  // namespace

std::string log_end(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    lines.push_back(printable(line.substr(0, kLongestLine)));
    if (lines.size() > kLinesShown) lines.erase(lines.begin());
  }
  return join(lines, " | ");
}

}  // namespace momap
