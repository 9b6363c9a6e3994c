// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace momap {

/// Reads the next bytes of an array file in order; checks every length.
class NpyStream {
 public:
  /// Fills the span or throws; is never asked for more than the `size` given below.
  using Read = std::function<void(std::span<std::byte>)>;

  /// Reads the header. `owner` starts every message; `size` = bytes of the whole array file.
  NpyStream(Read read, uint64_t size, std::string owner, uint64_t limit_bytes);

  /// Of the tensor that `read` gives.
  const std::vector<int64_t>& shape() const { return shape_; }

  /// Reads all values, or entries [begin, end) of the first axis. To be called once.
  at::Tensor read();
  at::Tensor read_rows(int64_t begin, int64_t end);

 private:
  struct Type;

  [[noreturn]] void refuse(const std::string& what) const;
  void take(std::span<std::byte> out);
  void skip(uint64_t bytes);
  void read_header();
  void read_type(const std::string& descr);
  void set_sizes();
  at::Tensor values(const std::vector<int64_t>& shape);

  Read read_;
  uint64_t left_;
  std::string owner_;
  uint64_t limit_;

  std::vector<int64_t> shape_;
  at::ScalarType type_ = at::kByte;
  int64_t bytes_per_value_ = 1;  // of what the tensor holds; fixed bytes count as their own axis
  bool fixed_bytes_ = false;
  bool swapped_ = false;
  bool fortran_ = false;
  uint64_t data_bytes_ = 0;
};

}  // namespace momap
