// SPDX-License-Identifier: Apache-2.0
#include "database_part.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

#include <charconv>
#include <string_view>

namespace momap {

DatabasePart parse_part(const std::string& text) {
  DatabasePart part;
  if (text.empty()) return part;
  const size_t slash = text.find('/');
  const auto number = [](std::string_view digits, int64_t& out) {
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return result.ec == std::errc() && result.ptr == digits.data() + digits.size();
  };
  const bool good = slash != std::string::npos &&
                    number(std::string_view(text).substr(0, slash), part.index) &&
                    number(std::string_view(text).substr(slash + 1), part.count) &&
                    part.count >= 1 && part.index >= 0 && part.index < part.count;
  if (!good) {
    throw ConfigError(fmt::format(
        "--shard {}: expected I/N with I from 0 to N - 1, for example 0/4", printable(text)));
  }
  return part;
}

}  // namespace momap
