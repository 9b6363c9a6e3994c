// SPDX-License-Identifier: Apache-2.0
#include "unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

namespace diffusers {
namespace {

// With every byte that is not part of valid UTF-8 replaced, and without zero bytes, at which
// utf8proc's text functions would stop.
std::string valid_utf8(const std::string& text) {
  std::string out;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t code = 0;
    const auto length =
        utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &code);
    if (length > 0 && code != 0) {
      out.append(text, i, static_cast<size_t>(length));
    } else {
      out += "\xEF\xBF\xBD";
    }
    i += length > 0 ? static_cast<size_t>(length) : 1;
  }
  return out;
}

Letter kind_of(utf8proc_int32_t code) {
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return Letter::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return Letter::number;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return Letter::space;
    default:
      return (code >= '\t' && code <= '\r') || code == 0x85 ? Letter::space : Letter::other;
  }
}

}  // namespace

std::vector<Character> characters(const std::string& text) {
  const std::string valid = valid_utf8(text);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> composed(
      utf8proc_NFC(reinterpret_cast<const utf8proc_uint8_t*>(valid.c_str())), std::free);
  std::vector<Character> out;
  if (!composed) return out;
  const utf8proc_uint8_t* next = composed.get();
  utf8proc_int32_t code = 0;
  while (*next != 0) {
    next += utf8proc_iterate(next, -1, &code);
    utf8proc_uint8_t bytes[4];
    const auto count = utf8proc_encode_char(utf8proc_tolower(code), bytes);
    out.push_back(
        {kind_of(code), {reinterpret_cast<const char*>(bytes), static_cast<size_t>(count)}});
  }
  return out;
}

}  // namespace diffusers
