// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/mapped_file.h>
#include <momap/store/entry.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace momap {

/// A MoMap database, for reading: a folder of shards and a catalogue. Opening reads neither; each
/// shard is mapped when it is first asked for and stays mapped. Thread-safe; works while a writer
/// appends, and then sees every sample as soon as it is whole.
class Database {
 public:
  /// Throws ConfigError when the folder holds no database of this format.
  explicit Database(const std::filesystem::path& folder);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::filesystem::path& folder() const;

  int64_t size() const;
  int64_t size(const std::string& split) const;  ///< samples of one split

  /// The sample at a position, of all or of one split. Throws DataError when there is none.
  Entry entry(int64_t number) const;
  Entry entry(const std::string& split, int64_t place) const;
  std::optional<Entry> find(const std::string& id) const;

  /// Visits all entries in order; memory does not grow with their number.
  void for_each(const std::function<void(const Entry&)>& visit) const;

  /// The sample as a clip; `truth` holds its motion maps. Plain tensors are views into the mapped
  /// shard, encoded ones are decoded. When this object first reads a sample, its bytes are compared
  /// with the checksum and every value is looked at; later reads check lengths, types and shapes.
  /// Throws ConfigError for a damaged sample.
  Clip read(const Entry& entry) const;

  /// The sample's bytes as they lie in the shard, checked against the checksum
  /// each time.
  struct Packed {
    std::span<const std::byte> bytes;
    std::shared_ptr<MappedFile> keeps_alive;
  };
  Packed packed(const Entry& entry) const;

  /// The text that says how samples were made, by `Entry::provenance`; "" when unknown.
  std::string provenance(const std::string& hash) const;

  std::map<std::string, int64_t> drops_by_reason() const;
  void for_each_drop(const std::function<void(const Drop&)>& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace momap
