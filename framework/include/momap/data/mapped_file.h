// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace momap {

/// A whole file in memory. Pages written to by mistake are copied, so the file itself cannot
/// change.
class MappedFile {
 public:
  /// Throws ConfigError when it is not a regular file that can be read.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace momap
