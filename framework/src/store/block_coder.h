// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace momap {

/// Bytes of an encoded tensor, read from front to back with every length checked.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string owner)
      : bytes_(bytes), owner_(std::move(owner)) {}

  template <class T>
  T number() {
    T value;
    read(&value, sizeof value);
    return value;
  }

  /// The next `size` bytes, not copied.
  std::span<const std::byte> take(uint64_t size);

  size_t position() const { return position_; }

  /// Throws ConfigError with owner and position.
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  void read(void* out, size_t size);

  std::span<const std::byte> bytes_;
  std::string owner_;
  size_t position_ = 0;
};

/// What the numbers of an array are: how they are predicted depends on it.
enum class NumberKind : uint8_t {
  integer,
  real,  ///< IEEE floats, predicted as integers in the order of their values
};

/// Compresses [rows, columns] numbers of 1, 2 or 4 bytes without loss: the difference along rows
/// (of order 0, 1 or 2, whichever is smaller), zigzag, one stream per byte of the number, zstd.
/// Columns are cut into blocks that fit a core's cache.
class BlockCoder {
 public:
  BlockCoder();
  ~BlockCoder();
  BlockCoder(const BlockCoder&) = delete;
  BlockCoder& operator=(const BlockCoder&) = delete;

  /// Appends the block [rows, columns] of `Word`s, whose rows are `stride` words apart.
  template <class Word>
  void encode(const Word* in, int64_t rows, int64_t columns, int64_t stride, NumberKind kind,
              std::vector<std::byte>& out);

  /// Reads what `encode` appended. `zero` (optional) is set when the block holds nothing but 0, in
  /// which case `out` is left as it is.
  template <class Word>
  void decode(ByteReader& in, Word* out, int64_t rows, int64_t columns, int64_t stride,
              NumberKind kind, bool* zero = nullptr);

  /// Columns of a block such that it holds about `words` numbers.
  static int64_t block_columns(int64_t rows, int64_t columns, int64_t words);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Appends a number in little-endian order.
template <class T>
void put_number(std::vector<std::byte>& out, T value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

}  // namespace momap
