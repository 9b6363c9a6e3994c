// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/store/entry.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "catalogue.h"

namespace momap {

/// Bytes kept free at the start of a shard for its header.
constexpr uint64_t kShardHead = uint64_t{1} << 20;

/// Where a shard is: "<name>.safetensors" when sealed, "<name>.open" while it grows.
std::filesystem::path sealed_path(const std::filesystem::path& folder, const std::string& name);
std::filesystem::path open_path(const std::filesystem::path& folder, const std::string& name);

/// The shard that a writer adds samples to. Samples lie behind each other from byte `kShardHead`
/// on, where they stay; the header is written last, and turns the file into a safetensors file.
class OpenShard {
 public:
  /// Makes the shard or, after a kill, takes it up again where the last whole sample ended (`end`;
  /// what lies behind is cut off).
  OpenShard(const std::filesystem::path& folder, std::string name, uint64_t end);
  ~OpenShard();
  OpenShard(const OpenShard&) = delete;
  OpenShard& operator=(const OpenShard&) = delete;

  const std::string& name() const { return name_; }
  uint64_t end() const { return end_; }

  /// Adds a sample and lets the disk begin with it; gives its offset. When the disk is full the
  /// shard is as it was before, and ConfigError says so.
  uint64_t append(std::span<const std::byte> sample);

  /// Waits until the last sample is on the disk.
  void sync();

  /// Takes the last sample, which began at `offset`, away again.
  void take_back(uint64_t offset);

  /// Writes the header for the catalogue's entries of this shard, syncs and renames.
  SealedShard seal(const Catalogue& catalogue);

 private:
  [[noreturn]] void fail(const char* what) const;
  void write_at(uint64_t offset, std::span<const std::byte> bytes);

  std::filesystem::path folder_;
  std::string name_;
  std::filesystem::path path_;
  uint64_t end_ = kShardHead;
  int fd_ = -1;
};

/// Bytes that a packed sample takes in the header of its shard, at most.
uint64_t head_bytes_of(const std::string& id, std::span<const std::byte> sample);

/// What the catalogue keeps of a shard that was sealed but not yet entered.
SealedShard describe_shard(const std::filesystem::path& folder, const std::string& name);

}  // namespace momap
