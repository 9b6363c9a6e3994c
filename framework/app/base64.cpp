// SPDX-License-Identifier: Apache-2.0
#include "base64.h"

#include <cstddef>

namespace momap {

std::string base64(std::span<const uint8_t> bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t b = 0; b < 3; ++b) word = word << 8 | (i + b < bytes.size() ? bytes[i + b] : 0u);
    for (size_t d = 0; d < 4; ++d) {
      out += i + d > bytes.size() ? '=' : kDigits[word >> (18 - 6 * d) & 63];
    }
  }
  return out;
}

}  // namespace momap
