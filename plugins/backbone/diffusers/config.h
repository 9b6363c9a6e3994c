// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace diffusers {

/// Reads a JSON file as Python writes it: NaN and Infinity, which JSON does not know, become null.
/// Throws ConfigError.
nlohmann::json read_json(const std::filesystem::path& path);

/// One config.json, read key by key with the library's defaults; what is wrong is gathered and
/// thrown at once.
class ConfigReader {
 public:
  /// `name` stands in front of what is thrown.
  ConfigReader(std::string name, nlohmann::json values);
  explicit ConfigReader(const std::filesystem::path& path);

  std::string text(const std::string& key, const std::string& otherwise);
  bool flag(const std::string& key, bool otherwise);
  double real(const std::string& key, double otherwise, double lowest, double highest);
  int64_t integer(const std::string& key, std::optional<int64_t> otherwise, int64_t lowest,
                  int64_t highest);
  std::vector<int64_t> integers(const std::string& key, int64_t lowest, int64_t highest);
  std::vector<std::string> texts(const std::string& key);

  /// Null or absent.
  bool is_null(const std::string& key) const;
  bool is_list(const std::string& key) const;

  /// Refuses a key whose value is neither absent, null nor this one: an option that is not built
  /// here.
  void only(const std::string& key, const nlohmann::json& value);

  void expect(bool good, const std::string& otherwise);
  void throw_if_wrong() const;

  const nlohmann::json& values() const { return values_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  nlohmann::json values_;
  std::vector<std::string> wrong_;
};

}  // namespace diffusers
