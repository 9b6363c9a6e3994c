// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace momap {

/// One of `count` parts of a database's work: every count-th video or sample, from `index` on.
struct DatabasePart {
  int64_t index = 0, count = 1;
};

/// "I/N"; "" is the whole. Throws ConfigError for anything else.
DatabasePart parse_part(const std::string& text);

}  // namespace momap
