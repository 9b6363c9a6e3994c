// SPDX-License-Identifier: Apache-2.0
#include "draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace momap {

std::string Draft::title() const {
  return plugin && reverse_of.empty() ? fmt::format("step '{}' ({})", name, plugin->id)
                                      : fmt::format("step '{}'", name);
}

std::optional<Kind> Draft::kind() const {
  if (reverse) return Kind::momap;
  if (!plugin) return std::nullopt;
  return plugin->output();
}

const Draft* find_draft(const Drafts& drafts, const std::string& name) {
  const auto found = std::ranges::find(drafts, name, &Draft::name);
  return found == drafts.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const Drafts& drafts) {
  std::vector<std::string> names;
  for (const auto& draft : drafts) names.push_back(draft.name);
  return names;
}

}  // namespace momap
