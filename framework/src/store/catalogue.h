// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/store/entry.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace momap {

class CatalogueFile;

/// A shard that will not change any more.
struct SealedShard {
  std::string name;
  uint64_t size = 0;        ///< of the file, bytes
  std::string head;         ///< checksum of what stands before the first sample
  uint64_t head_bytes = 0;  ///< how much that is
};

/// The SQLite file `catalogue.sqlite` of a database. Thread-safe. Every SQLite failure becomes a
/// ConfigError with file and reason.
class Catalogue {
 public:
  enum class Mode { read, write };

  /// Opens; `write` makes it when absent. Nothing of the content is read.
  Catalogue(const std::filesystem::path& folder, Mode mode);
  ~Catalogue();
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  static std::filesystem::path file_in(const std::filesystem::path& folder);

  int64_t size() const;
  int64_t size(const std::string& split) const;
  std::optional<Entry> by_number(int64_t number) const;
  std::optional<Entry> by_id(const std::string& id) const;
  std::optional<Entry> by_place(const std::string& split, int64_t place) const;

  /// Entries of a shard, or all ("" = all), in order of number; `row_is_sound` is false where the
  /// row does not match its own checksum. Reads a page of rows at a time.
  void for_each(const std::string& shard,
                const std::function<void(const Entry&, bool row_is_sound)>& visit) const;

  /// Adds a sample (sets `number`) and its provenance in one transaction.
  void add(Entry& entry, const std::string& provenance);
  void add(const Drop& drop);
  bool has_drop(const std::string& id) const;
  std::map<std::string, int64_t> drops_by_reason() const;
  void for_each_drop(const std::function<void(const Drop&)>& visit) const;

  std::string provenance(const std::string& hash) const;
  std::vector<std::pair<std::string, std::string>> provenances() const;

  std::vector<SealedShard> sealed_shards() const;
  void add(const SealedShard& shard);

  std::string setting(const std::string& key) const;  ///< "" when absent
  void set(const std::string& key, const std::string& value);

  /// Ends writing: all is in the one file, which no longer changes. False when a reader was in the
  /// way.
  bool settle();

  /// What SQLite's own check of pages and indexes finds; empty = nothing.
  std::vector<std::string> damage() const;

 private:
  std::unique_ptr<CatalogueFile> file_;
};

}  // namespace momap
