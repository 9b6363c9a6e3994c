// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace momap {

/// The candidate closest to `name` by edit distance, when it is close enough to be a slip of the
/// pen.
std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& candidates);

/// "; did you mean 'x'?" or, when nothing is near, "; known: a, b, c" (or nothing for no
/// candidates).
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);

/// "a, b, c"
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Parts of `text` between `separator`s; empty parts are dropped.
std::vector<std::string> split(std::string_view text, char separator);

/// `text` with bytes that are not valid UTF-8 or are control characters shown as \xNN.
std::string printable(std::string_view text);

/// 1536 -> "1.5 KiB"
std::string human_bytes(double bytes);

}  // namespace momap
