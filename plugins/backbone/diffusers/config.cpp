// SPDX-License-Identifier: Apache-2.0
#include "config.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

namespace diffusers {
namespace {

using nlohmann::json;

constexpr std::uintmax_t kLargestJson = 64 << 20;  // bytes
constexpr size_t kLongestList = 64;

// Python's json module writes these words for numbers that JSON has no way to say.
std::string without_python_numbers(const std::string& text) {
  std::string out;
  bool inside_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inside_string && text[i] == '\\' && i + 1 < text.size()) {
      out.append(text, i++, 2);
      continue;
    }
    if (text[i] == '"') inside_string = !inside_string;
    bool replaced = false;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
      if (!inside_string && text.compare(i, word.size(), word) == 0) {
        out += "null";
        i += word.size() - 1;
        replaced = true;
        break;
      }
    }
    if (!replaced) out += text[i];
  }
  return out;
}

std::string shown_value(const json& value) {
  return momap::printable(value.dump(-1, ' ', true, json::error_handler_t::replace));
}

}  // namespace

json read_json(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size > kLargestJson) {
    throw momap::ConfigError(fmt::format("{}: has {}; expected at most {}", momap::shown(path),
                                         momap::human_bytes(static_cast<double>(size)),
                                         momap::human_bytes(static_cast<double>(kLargestJson))));
  }
  try {
    return json::parse(without_python_numbers(momap::read_file(path)));
  } catch (const json::exception& problem) {
    throw momap::ConfigError(fmt::format("{}: is not valid JSON: {}", momap::shown(path),
                                         momap::printable(problem.what())));
  }
}

ConfigReader::ConfigReader(std::string name, json values)
    : name_(std::move(name)), values_(std::move(values)) {
  if (!values_.is_object()) {
    throw momap::ConfigError(fmt::format("{}: is not a mapping of settings", name_));
  }
}

ConfigReader::ConfigReader(const std::filesystem::path& path)
    : ConfigReader(momap::shown(path), read_json(path)) {}

bool ConfigReader::is_null(const std::string& key) const {
  return !values_.contains(key) || values_.at(key).is_null();
}

bool ConfigReader::is_list(const std::string& key) const {
  return values_.contains(key) && values_.at(key).is_array();
}

void ConfigReader::expect(bool good, const std::string& otherwise) {
  if (!good) wrong_.push_back(otherwise);
}

std::string ConfigReader::text(const std::string& key, const std::string& otherwise) {
  if (is_null(key)) return otherwise;
  const json& value = values_.at(key);
  if (value.is_string()) return value.get<std::string>();
  wrong_.push_back(fmt::format("'{}' = {} is not a text", key, shown_value(value)));
  return otherwise;
}

bool ConfigReader::flag(const std::string& key, bool otherwise) {
  if (is_null(key)) return otherwise;
  const json& value = values_.at(key);
  if (value.is_boolean()) return value.get<bool>();
  wrong_.push_back(fmt::format("'{}' = {} is neither true nor false", key, shown_value(value)));
  return otherwise;
}

double ConfigReader::real(const std::string& key, double otherwise, double lowest, double highest) {
  if (is_null(key)) return otherwise;
  const json& value = values_.at(key);
  if (value.is_number()) {
    const auto number = value.get<double>();
    if (number >= lowest && number <= highest) return number;
  }
  wrong_.push_back(fmt::format("'{}' = {} is not a number in [{}, {}]", key, shown_value(value),
                               lowest, highest));
  return otherwise;
}

int64_t ConfigReader::integer(const std::string& key, std::optional<int64_t> otherwise,
                              int64_t lowest, int64_t highest) {
  if (is_null(key)) {
    if (!otherwise) wrong_.push_back(fmt::format("'{}' is missing", key));
    return otherwise.value_or(lowest);
  }
  const json& value = values_.at(key);
  if (value.is_number_integer() && value >= lowest && value <= highest) return value.get<int64_t>();
  wrong_.push_back(fmt::format("'{}' = {} is not a whole number in [{}, {}]", key,
                               shown_value(value), lowest, highest));
  return lowest;
}

std::vector<int64_t> ConfigReader::integers(const std::string& key, int64_t lowest,
                                            int64_t highest) {
  std::vector<int64_t> out;
  if (is_list(key) && values_.at(key).size() <= kLongestList) {
    for (const json& item : values_.at(key)) {
      if (item.is_number_integer() && item >= lowest && item <= highest) {
        out.push_back(item.get<int64_t>());
      }
    }
    if (!out.empty() && out.size() == values_.at(key).size()) return out;
  }
  wrong_.push_back(fmt::format("'{}' = {} is not a list of 1 to {} whole numbers in [{}, {}]", key,
                               values_.contains(key) ? shown_value(values_.at(key)) : "nothing",
                               kLongestList, lowest, highest));
  return {lowest};
}

std::vector<std::string> ConfigReader::texts(const std::string& key) {
  std::vector<std::string> out;
  if (is_list(key) && values_.at(key).size() <= kLongestList) {
    for (const json& item : values_.at(key)) {
      if (item.is_string()) out.push_back(item.get<std::string>());
    }
    if (!out.empty() && out.size() == values_.at(key).size()) return out;
  }
  wrong_.push_back(fmt::format("'{}' is not a list of 1 to {} texts", key, kLongestList));
  return {};
}

void ConfigReader::only(const std::string& key, const json& value) {
  if (is_null(key) || values_.at(key) == value) return;
  wrong_.push_back(fmt::format("'{}' = {} is not supported; expected {}", key,
                               shown_value(values_.at(key)), shown_value(value)));
}

void ConfigReader::throw_if_wrong() const {
  if (wrong_.empty()) return;
  throw momap::ConfigError(fmt::format("{}: describes a network that cannot be built here:\n  {}",
                                       name_, momap::join(wrong_, "\n  ")));
}

}  // namespace diffusers
