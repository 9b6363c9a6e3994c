// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace momap::formats {

/// The whole file of one sample. Throws DataError when it is missing, empty or larger than
/// `limit_bytes`.
std::string read_bytes(const std::filesystem::path& path, uint64_t limit_bytes = 512u << 20);

/// Throws ConfigError, naming the parameter, when there is no such folder.
void require_folder(const std::filesystem::path& folder, const char* parameter);

/// Whether `a` comes before `b` when runs of digits count as numbers: "frame9" before "frame10".
bool natural_less(std::string_view a, std::string_view b);

/// Names of the folders in `folder`, in natural order; none when it does not exist.
std::vector<std::string> folders_in(const std::filesystem::path& folder);

/// Names of the regular files in `folder` that end with one of `suffixes`, in natural order.
std::vector<std::string> files_in(const std::filesystem::path& folder,
                                  const std::vector<std::string>& suffixes);

/// Frame files with a number in their name: `prefix`, `digits` digits, `suffix`.
struct FrameFiles {
  std::string prefix;
  int digits = 1;
  std::string suffix;

  std::string name(int64_t number) const;

  struct Range {
    int64_t first = 0;
    int64_t last = 0;
  };
  /// Lowest and highest number in `folder`; nullopt when there is no such file.
  std::optional<Range> range(const std::filesystem::path& folder) const;
};

/// Numbers separated by white space. Throws DataError when a word is not a finite number or their
/// count is not `expected`.
std::vector<double> read_numbers(const std::filesystem::path& path, size_t expected);

/// The numbers of one line; nullopt when a word is not a finite number.
std::optional<std::vector<double>> parse_numbers(std::string_view line);

}  // namespace momap::formats
