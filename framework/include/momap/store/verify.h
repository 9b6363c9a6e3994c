// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace momap {

/// One thing that is wrong with a database.
struct Damage {
  std::string file;
  std::string what;  ///< offset or key, expected and found
};

struct VerifyResult {
  int64_t samples = 0;  ///< checked
  uint64_t bytes = 0;   ///< of shards, read
  bool sealed = false;  ///< every byte of the catalogue is covered by a checksum
  std::vector<Damage> damage;
};

struct VerifyOptions {
  std::function<bool()> cancelled;                          ///< polled; true throws Cancelled
  std::function<void(int64_t done, int64_t all)> progress;  ///< samples; from any thread
};

/// Reads all of a database and compares it with its checksums: of the catalogue's file, of each of
/// its rows, of each shard's header and of each sample. A byte that differs anywhere is found.
VerifyResult verify_database(const std::filesystem::path& folder,
                             const VerifyOptions& options = {});

}  // namespace momap
