// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace momap {

struct MergeResult {
  int64_t added = 0;
  int64_t already_there = 0;  ///< the same id with the same bytes
};

/// Copies the samples of databases into one (made when absent), in the order given, without
/// decoding them; every sample is checked against its checksum. Resumable: what is there already is
/// passed over. Throws ConfigError when one id stands for different samples or a sample is damaged.
MergeResult merge_databases(const std::vector<std::filesystem::path>& parts,
                            const std::filesystem::path& into,
                            const std::function<bool()>& cancelled,
                            const std::function<void(int64_t done, int64_t all)>& progress);

}  // namespace momap
