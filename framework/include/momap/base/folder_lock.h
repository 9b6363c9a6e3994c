// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace momap {

/// Held by the one process that works on a folder; the system frees it when that process ends,
/// however it ends.
class FolderLock {
 public:
  /// Locks `file` in `folder`, which is made when it is missing. Throws ConfigError when another
  /// process holds it; `remedy` says what the user can do then.
  explicit FolderLock(const std::filesystem::path& folder, const std::string& file = "lock",
                      const std::string& remedy = "wait for it, stop it, or choose another folder");
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// Whether a process holds the lock now.
  static bool is_held(const std::filesystem::path& folder, const std::string& file = "lock");

 private:
  int fd_ = -1;
};

}  // namespace momap
