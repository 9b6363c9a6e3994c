// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/catalog/stages.h>

#include <algorithm>
#include <stdexcept>

namespace momap {
namespace {

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

}  // namespace

std::optional<Kind> kind_from_name(std::string_view name) {
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames[i] == name) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

bool Port::accepts(Kind kind) const { return std::ranges::count(kinds, kind) > 0; }

std::string Port::text() const {
  std::vector<std::string> names;
  for (const Kind kind : kinds) names.emplace_back(name_of(kind));
  return fmt::format("{}: {}{}{}", name, join(names, " | "), many ? "*" : "", optional ? "?" : "");
}

std::vector<Port> parse_ports(std::string_view signature) {
  std::vector<Port> ports;
  for (const auto& part : split(signature, ',')) {
    const size_t colon = part.find(':');
    if (colon == std::string::npos) {
      throw std::invalid_argument(
          fmt::format("port '{}' has no kind; expected 'name: kind | kind'", part));
    }
    Port port;
    port.name = trimmed(std::string_view(part).substr(0, colon));
    std::string kinds = part.substr(colon + 1);
    for (const char c : kinds) {
      port.optional |= c == '?';
      port.many |= c == '*';
    }
    std::erase_if(kinds, [](char c) { return c == '?' || c == '*'; });
    for (const auto& name : split(kinds, '|')) {
      const auto kind = kind_from_name(trimmed(name));
      if (!kind) {
        throw std::invalid_argument(
            fmt::format("port '{}' has unknown kind '{}'{}", port.name, trimmed(name),
                        suggestion(trimmed(name), {kKindNames.begin(), kKindNames.end()})));
      }
      port.kinds.push_back(*kind);
    }
    ports.push_back(std::move(port));
  }
  return ports;
}

const StageInfo* find_stage(std::string_view name) {
  const auto found = std::ranges::find(kStages, name, &StageInfo::name);
  return found == kStages.end() ? nullptr : &*found;
}

size_t stage_order(std::string_view name) {
  return static_cast<size_t>(std::ranges::find(kStages, name, &StageInfo::name) - kStages.begin());
}

}  // namespace momap
