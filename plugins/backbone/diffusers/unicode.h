// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace diffusers {

/// What CLIP's tokenizer tells apart.
enum class Letter { letter, number, space, other };

struct Character {
  Letter kind;
  std::string bytes;  ///< UTF-8
};

/// The characters of a text in Unicode form NFC, small. Bytes that are not UTF-8 become U+FFFD.
std::vector<Character> characters(const std::string& text);

}  // namespace diffusers
