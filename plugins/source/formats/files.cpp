// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace momap::formats {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The run of digits that `text` starts with, without leading zeros.
std::string_view number_at(std::string_view text, size_t& length) {
  length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  std::string_view digits = text.substr(0, length);
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

template <class Wanted>
std::vector<std::string> names_in(const fs::path& folder, Wanted wanted) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (wanted(*entry)) names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names, natural_less);
  return names;
}

}  // namespace

std::string read_bytes(const fs::path& path, uint64_t limit_bytes) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) {
    throw DataError(fmt::format("{}: the file is missing", shown(path)));
  }
  if (!fs::is_regular_file(status)) {
    throw DataError(fmt::format("{}: is not a regular file", shown(path)));
  }
  try {
    std::string bytes = momap::read_file(path, limit_bytes);
    if (bytes.empty()) throw DataError(fmt::format("{}: the file is empty (0 bytes)", shown(path)));
    return bytes;
  } catch (const ConfigError& refusal) {
    throw DataError(refusal.what());
  }
}

void require_folder(const fs::path& folder, const char* parameter) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return;
  throw ConfigError(
      fmt::format("{} = {}: there is no such folder; check the spelling (it is relative to the "
                  "folder momap runs in)",
                  parameter, shown(folder)));
}

bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      size_t length_a = 0, length_b = 0;
      const std::string_view x = number_at(a, length_a), y = number_at(b, length_b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      a.remove_prefix(length_a);
      b.remove_prefix(length_b);
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;  // "a01" and "a1"
}

std::vector<std::string> folders_in(const fs::path& folder) {
  return names_in(folder, [](const fs::directory_entry& entry) {
    std::error_code error;
    return entry.is_directory(error) && !entry.path().filename().string().starts_with('.');
  });
}

std::vector<std::string> files_in(const fs::path& folder,
                                  const std::vector<std::string>& suffixes) {
  return names_in(folder, [&](const fs::directory_entry& entry) {
    std::error_code error;
    const std::string name = entry.path().filename().string();
    return entry.is_regular_file(error) && !name.starts_with('.') &&
           std::ranges::any_of(suffixes, [&](const auto& s) { return name.ends_with(s); });
  });
}

std::string FrameFiles::name(int64_t number) const {
  return fmt::format("{}{:0{}}{}", prefix, number, digits, suffix);
}

std::optional<FrameFiles::Range> FrameFiles::range(const fs::path& folder) const {
  std::optional<Range> range;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix)) {
      continue;
    }
    int64_t number = -1;
    const char* begin = name.data() + prefix.size();
    const char* stop = name.data() + name.size() - suffix.size();
    const auto parsed = std::from_chars(begin, stop, number);
    if (parsed.ec != std::errc() || parsed.ptr != stop || number < 0 ||
        this->name(number) != name) {
      continue;
    }
    if (!range) range = Range{number, number};
    range->first = std::min(range->first, number);
    range->last = std::max(range->last, number);
  }
  return range;
}

std::optional<std::vector<double>> parse_numbers(std::string_view line) {
  std::vector<double> numbers;
  const char* at = line.data();
  const char* end = at + line.size();
  for (;;) {
    while (at != end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) ++at;
    if (at == end) return numbers;
    double value = 0;
    const auto parsed = std::from_chars(*at == '+' ? at + 1 : at, end, value);
    const bool whole = parsed.ptr == end || *parsed.ptr == ' ' || *parsed.ptr == '\t' ||
                       *parsed.ptr == '\n' || *parsed.ptr == '\r';
    if (parsed.ec != std::errc() || !whole || !std::isfinite(value)) return std::nullopt;
    numbers.push_back(value);
    at = parsed.ptr;
  }
}

std::vector<double> read_numbers(const fs::path& path, size_t expected) {
  const auto numbers = parse_numbers(read_bytes(path, 1 << 20));
  if (!numbers || numbers->size() != expected) {
    throw DataError(fmt::format(
        "{}: holds {}; expected {} finite numbers", shown(path),
        numbers ? fmt::format("{} numbers", numbers->size()) : "something else than finite numbers",
        expected));
  }
  return *numbers;
}

}  // namespace momap::formats
