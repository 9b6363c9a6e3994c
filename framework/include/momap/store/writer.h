// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/store/entry.h>
#include <momap/store/sample.h>

#include <filesystem>
#include <memory>
#include <string>

namespace momap {

/// Adds samples to a MoMap database, making it when absent. One writer at a time: a second one on
/// the same folder is refused. Not thread-safe.
///
/// A sample is there for readers when `append` returns, and from then on survives a kill. Killed in
/// the middle of one, the next writer goes on after the last whole sample.
class DatabaseWriter {
 public:
  /// `shard_bytes`: a shard is sealed when it would grow beyond. Throws ConfigError when the folder
  /// cannot be written or another writer has it.
  DatabaseWriter(const std::filesystem::path& folder, const StorageOptions& options,
                 uint64_t shard_bytes = uint64_t{256} << 20);
  /// Leaves the last shard open, so that the next writer goes on with it.
  ~DatabaseWriter();
  DatabaseWriter(const DatabaseWriter&) = delete;
  DatabaseWriter& operator=(const DatabaseWriter&) = delete;

  /// Whether a sample or a drop with this id is there already.
  bool knows(const std::string& id) const;

  /// Stores a clip under `entry.id` with what `entry` says of source, quality and split; sizes,
  /// caption, camera, codec and place are filled in. Throws DataError for a clip that cannot be
  /// kept as asked, ConfigError for a disk that is full; the database is then as it was.
  Entry append(const Clip& clip, Entry entry, const std::string& provenance);

  /// Adds a sample of another database as it is, without decoding.
  Entry append_packed(std::span<const std::byte> sample, Entry entry,
                      const std::string& provenance);

  void add(const Drop& drop);

  /// What was remembered under a key; "" = nothing.
  std::string setting(const std::string& key) const;
  void set(const std::string& key, const std::string& value);

  /// Seals the last shard and the catalogue: from here on every byte is covered by a checksum.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace momap
