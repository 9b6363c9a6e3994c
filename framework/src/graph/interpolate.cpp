// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/catalog/catalog.h>
#include <momap/graph/interpolate.h>
#include <momap/graph/yaml.h>

#include <cstdlib>
#include <optional>

namespace momap {
namespace {

constexpr int kMostReplacements = 100;  // a chain of references longer than this is a circle

constexpr std::string_view kShare = "share:";

std::string share_folder() { return (install_root() / "share/momap").string() + "/"; }

const Config* find_path(const Config& root, const std::string& path) {
  const Config* at = &root;
  for (const auto& key : split(path, '.')) {
    at = at->find(key);
    if (!at) return nullptr;
  }
  return at;
}

// The text a reference stands for, or nothing after reporting why not.
std::optional<std::string> resolve(const std::string& reference, const Config& root,
                                   const Mark& mark, Problems& problems) {
  if (reference.starts_with("env:")) {
    std::string name = reference.substr(4);
    std::optional<std::string> fallback;
    if (const size_t at = name.find(":-"); at != std::string::npos) {
      fallback = name.substr(at + 2);
      name.resize(at);
    }
    if (const char* value = std::getenv(name.c_str())) return value;
    if (fallback) return fallback;
    problems.add(mark, fmt::format("environment variable '{}' is not set", printable(name)),
                 fmt::format("set it, or give a fallback: ${{env:{}:-value}}", printable(name)));
    return std::nullopt;
  }
  if (reference.starts_with(kShare)) {
    return share_folder() + reference.substr(kShare.size());
  }
  const Config* target = find_path(root, reference);
  if (target && target->is_scalar()) return target->text();
  problems.add(mark,
               fmt::format("'${{{}}}' {}", printable(reference),
                           target ? "names a list or mapping, not a single value"
                                  : "names no key of this file"),
               "allowed: ${env:NAME}, ${share:path} and ${top.key.below}");
  return std::nullopt;
}

// The first `${...}` that is not escaped as `$${...}`.
std::optional<std::pair<size_t, size_t>> next_reference(const std::string& text, size_t from) {
  size_t begin = text.find("${", from);
  while (begin != std::string::npos && begin > 0 && text[begin - 1] == '$') {
    begin = text.find("${", begin + 2);
  }
  if (begin == std::string::npos) return std::nullopt;
  return std::pair(begin, text.find('}', begin));
}

void interpolate_scalar(Config& scalar, const Config& root, Problems& problems) {
  std::string text = scalar.text();
  int replacements = 0;
  while (const auto found = next_reference(text, 0)) {
    const auto [begin, end] = *found;
    if (end == std::string::npos) {
      problems.add(scalar.mark(), fmt::format("'{}' has '${{' without '}}'", printable(text)));
      return;
    }
    if (++replacements > kMostReplacements) {
      problems.add(scalar.mark(), fmt::format("'{}' refers to itself", printable(scalar.text())));
      return;
    }
    const auto value =
        resolve(text.substr(begin + 2, end - begin - 2), root, scalar.mark(), problems);
    if (!value) return;
    text.replace(begin, end - begin + 1, *value);
  }
  for (size_t at = text.find("$${"); at != std::string::npos; at = text.find("$${", at + 1)) {
    text.erase(at, 1);
  }
  if (text != scalar.text()) scalar.set_text(std::move(text));
}

}  // namespace

void apply_override(Config& root, const std::string& text) {
  const Mark mark{"--set " + text, 0, 0};
  const size_t equals = text.find('=');
  auto keys = split(text.substr(0, equals), '.');
  if (equals == std::string::npos || keys.empty()) {
    throw ConfigError(
        fmt::format("--set {}: expected key.path=value, for example warp.with.radius=2", text));
  }
  Config* at = &root;
  const Config* steps = root.find("steps");
  if (!root.find(keys[0]) || (steps && steps->find(keys[0]))) {
    if (keys[0] != "seed") {
      std::vector<std::string> known;
      if (steps) {
        for (const auto& entry : steps->entries()) known.push_back(entry.key);
      }
      if (!steps || !steps->find(keys[0])) {
        throw ConfigError(
            fmt::format("--set {}: no step '{}'{}", text, keys[0], suggestion(keys[0], known)));
      }
      at = &root.at_or_insert("steps", mark);
    }
  }
  for (const auto& key : keys) at = &at->at_or_insert(key, mark);
  *at = parse_yaml(text.substr(equals + 1), mark.file);
  at->set_mark(mark);
}

std::string as_reference(std::string text) {
  for (size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3)) {
    text.insert(at, 1, '$');
  }
  const std::string share = share_folder();
  if (!text.starts_with(share)) return text;
  return fmt::format("${{{}{}}}", kShare, text.substr(share.size()));
}

void interpolate(Config& root, Problems& problems) {
  const Config original = root;
  root.edit_scalars([&](Config& scalar) { interpolate_scalar(scalar, original, problems); });
}

}  // namespace momap
