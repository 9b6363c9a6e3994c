// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/experiment/settings.h>

#include <algorithm>

namespace momap {

std::string text_of(const Settings& settings) { return join(overrides_of(settings), " "); }

std::vector<std::string> overrides_of(const Settings& settings) {
  std::vector<std::string> out;
  for (const auto& [key, value] : settings) out.push_back(fmt::format("{}={}", key, value));
  return out;
}

std::string flow_text(const Config& value) {
  if (value.is_list()) {
    std::vector<std::string> items;
    for (const auto& item : value.items()) items.push_back(flow_text(item));
    return "[" + join(items, ", ") + "]";
  }
  if (value.is_map()) {
    std::vector<std::string> entries;
    for (const auto& [key, mark, inner] : value.entries()) {
      entries.push_back(key + ": " + flow_text(inner));
    }
    return "{" + join(entries, ", ") + "}";
  }
  if (value.is_null()) return "null";
  if (!value.quoted()) return value.text();
  std::string text = "'";
  for (const char c : value.text()) text += c == '\'' ? "''" : std::string(1, c);
  return text + "'";
}

Settings settings_of(const Config& map, Problems& problems) {
  Settings out;
  if (!map.is_map()) {
    problems.add(map.mark(), fmt::format("{} is not a map of keys to values", map.describe()),
                 "for example  {warp.with.radius: 2}");
    return out;
  }
  for (const auto& [key, mark, value] : map.entries()) {
    if (value.is_map()) {
      problems.add(value.mark(), fmt::format("'{}' holds a map; expected one value", key),
                   "write the whole path as the key: warp.with.radius: 2");
    } else {
      out.emplace_back(key, flow_text(value));
    }
  }
  return out;
}

bool contains(const Settings& settings, const Settings& wanted) {
  return std::ranges::all_of(
      wanted, [&](const auto& one) { return std::ranges::count(settings, one) > 0; });
}

Settings merged(Settings settings, const Settings& more) {
  for (const auto& [key, value] : more) {
    const auto found = std::ranges::find(settings, key, &Settings::value_type::first);
    if (found == settings.end()) {
      settings.emplace_back(key, value);
    } else {
      found->second = value;
    }
  }
  return settings;
}

}  // namespace momap
