// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/datum.h>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace momap {

/// Step outputs by content address. Entries are written aside and renamed, carry a checksum, and
/// are dropped when they do not match it; the least recently used go when the folder grows beyond
/// its limit. Thread- and process-safe.
class Cache {
 public:
  Cache(std::filesystem::path folder, uint64_t limit_bytes);

  bool contains(const std::string& key) const;

  /// The stored data, or nothing when there is no sound entry.
  std::optional<Data> load(const std::string& key);

  /// A full disk or read-only folder only costs the entry; the first such failure is kept in
  /// `trouble()`.
  void store(const std::string& key, const Data& data);

  /// The right to compute an entry, held until it goes.
  class Claim {
   public:
    explicit Claim(int fd) : fd_(fd) {}
    Claim(Claim&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim();

   private:
    int fd_;
  };

  /// Waits until nobody else, in any process, has this entry's claim. Who then finds the entry need
  /// not compute it. Where the file system has no locks the claim is given at once. Hold one at a
  /// time.
  Claim claim(const std::string& key) const;

  std::string trouble() const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path entry(const std::string& key) const;
  void make_room(uint64_t bytes);

  std::filesystem::path folder_;
  uint64_t limit_bytes_;
  mutable std::mutex mutex_;
  std::optional<uint64_t> used_bytes_;  // counted when first needed
  std::string trouble_;
};

}  // namespace momap
