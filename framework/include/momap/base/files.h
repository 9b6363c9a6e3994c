// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace momap {

/// A file written aside that takes its final name only on `commit()`: no reader ever sees half of
/// it.
class AtomicFile {
 public:
  /// Opens `.tmp-<pid>-<n>-<name>` beside `path`, making missing folders. Throws ConfigError.
  explicit AtomicFile(std::filesystem::path path);
  /// Removes what was not committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where a library that wants a file name of its own may write; keeps the extension of `path`.
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Appends. Throws ConfigError when the disk is full.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Syncs to disk and renames. Throws ConfigError.
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

/// Writes the whole file aside, syncs and renames it.
void write_file(const std::filesystem::path& path, std::string_view text);

/// Removes, in `folder` and below, what writers that were killed had written aside. Only for who
/// holds the folder's lock: a writer at work would lose its file.
void remove_leftovers(const std::filesystem::path& folder);

/// The whole file. Throws ConfigError with the reason, or when it is larger than `limit_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t limit_bytes = 64u << 20);

/// Throws ConfigError that begins with `subject` when nothing is at the path, or when a folder on
/// the way may not be looked into.
void check_exists(const std::filesystem::path& path, const std::string& subject);

/// A path as it can be shown: bytes that are not UTF-8 are escaped.
std::string shown(const std::filesystem::path& path);

/// A fresh folder that is removed, with all in it, when this object goes.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& prefix = "momap");
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Where MoMap keeps what can be made again: $MOMAP_CACHE_DIR, $XDG_CACHE_HOME/momap or
/// ~/.cache/momap.
std::filesystem::path user_cache_folder();

/// Where a user's own plugins live: $XDG_DATA_HOME/momap or ~/.local/share/momap.
std::filesystem::path user_data_folder();

}  // namespace momap
