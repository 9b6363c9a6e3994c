// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <type_traits>

namespace momap::formats {

/// A little-endian binary file, read from front to back with every length checked. All members
/// throw DataError with the file's name.
class BinaryFile {
 public:
  explicit BinaryFile(const std::filesystem::path& path);

  /// The next value; `what` names it in messages.
  template <class T>
  T take(const char* what) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    copy(&value, sizeof value, what);
    return value;
  }

  /// The next `count` values.
  template <class T>
  void take(T* out, size_t count, const char* what) {
    static_assert(std::is_trivially_copyable_v<T>);
    copy(out, count * sizeof(T), what);
  }

  /// Width and height (i32) from 1 to 32768 px.
  struct Size {
    int64_t width = 0, height = 0;
  };
  Size take_size();

  /// Throws unless exactly this many bytes are left: to be called before memory is taken for them.
  void require_left(uint64_t bytes, const std::string& for_what) const;

  /// Throws DataError "<file>: <what>".
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  void copy(void* out, size_t bytes, const char* what);

  std::filesystem::path path_;
  std::string bytes_;
  size_t position_ = 0;
};

}  // namespace momap::formats
