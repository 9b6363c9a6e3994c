// SPDX-License-Identifier: Apache-2.0
#include "npy_stream.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "npy_header.h"

namespace momap {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kLongestHeader = 1 << 20;  // bytes; numpy's own arrays need less than 200

struct Number {
  std::string_view code;  // without the byte order
  at::ScalarType type;
};
constexpr std::array kNumbers{
    Number{"b1", at::kBool},  Number{"u1", at::kByte},  Number{"i1", at::kChar},
    Number{"i2", at::kShort}, Number{"i4", at::kInt},   Number{"i8", at::kLong},
    Number{"f2", at::kHalf},  Number{"f4", at::kFloat}, Number{"f8", at::kDouble}};

void swap_bytes(std::span<std::byte> bytes, size_t width) {
  for (size_t i = 0; i + width <= bytes.size(); i += width) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + width));
  }
}

std::span<std::byte> bytes_of(at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

NpyStream::NpyStream(Read read, uint64_t size, std::string owner, uint64_t limit_bytes)
    : read_(std::move(read)), left_(size), owner_(std::move(owner)), limit_(limit_bytes) {
  read_header();
}

void NpyStream::refuse(const std::string& what) const {
  throw ConfigError(fmt::format("{}: {}", owner_, what));
}

void NpyStream::take(std::span<std::byte> out) {
  if (out.size() > left_) {
    refuse(
        fmt::format("ends after {} further bytes; expected {}; it is cut off", left_, out.size()));
  }
  read_(out);
  left_ -= out.size();
}

void NpyStream::skip(uint64_t bytes) {
  std::vector<std::byte> block(std::min<uint64_t>(bytes, 1 << 20));
  while (bytes > 0) {
    const auto part = std::min<uint64_t>(bytes, block.size());
    take({block.data(), part});
    bytes -= part;
  }
}

void NpyStream::read_header() {
  std::array<std::byte, 8> start{};
  if (left_ < start.size() + 2) {
    refuse(fmt::format("has {} bytes; expected a NumPy array of at least 10", left_));
  }
  take(start);
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0) {
    refuse("does not start with \\x93NUMPY; it is not a NumPy array");
  }
  const int major = std::to_integer<int>(start[6]), minor = std::to_integer<int>(start[7]);
  if (major < 1 || major > 3 || minor != 0) {
    refuse(fmt::format("format version = {}.{}; expected 1.0, 2.0 or 3.0", major, minor));
  }
  uint32_t length = 0;
  take({reinterpret_cast<std::byte*>(&length), major == 1 ? size_t{2} : size_t{4}});
  if (length > kLongestHeader) {
    refuse(fmt::format("header length = {}; expected at most {}", length, kLongestHeader));
  }
  std::string text(length, '\0');
  take(std::as_writable_bytes(std::span(text)));
  try {
    const NpyHeader header = parse_npy_header(text);
    shape_ = header.shape;
    fortran_ = header.fortran_order;
    read_type(header.descr);
  } catch (const BadNpyHeader& error) {
    refuse(error.what());
  }
  set_sizes();
}

void NpyStream::read_type(const std::string& descr) {
  const char order = descr.empty() ? '?' : descr[0];
  const std::string code = descr.empty() ? "" : descr.substr(1);
  const bool known_order = order == '<' || order == '>' || order == '|' || order == '=';
  if (known_order && code.starts_with('O')) {
    refuse(
        "holds Python objects (dtype 'O', a pickle), which can run code and are never read; for a "
        "list of byte strings convert it once in Python with numpy.savez(new, "
        "**{k: numpy.array(list(v), 'S') if v.dtype == object else v for k, v in "
        "numpy.load(old, allow_pickle=True).items()})");
  }
  if (known_order) {
    for (const Number& number : kNumbers) {
      if (code != number.code) continue;
      type_ = number.type;
      bytes_per_value_ = static_cast<int64_t>(c10::elementSize(type_));
      swapped_ = order == '>' && bytes_per_value_ > 1;
      return;
    }
  }
  int64_t width = 0;
  const char* end = code.data() + code.size();
  const bool bytes = code.starts_with('S') || code.starts_with('V');
  if (order == '|' && bytes) {
    const auto parsed = std::from_chars(code.data() + 1, end, width);
    if (parsed.ec == std::errc() && parsed.ptr == end && width >= 0) {
      fixed_bytes_ = true;
      shape_.push_back(width);
      return;
    }
  }
  refuse(
      fmt::format("dtype = '{}' cannot be held; expected bool, u1, i1, i2, i4, i8, f2, f4, f8 "
                  "or fixed bytes (S, V); convert it with .astype()",
                  printable(descr)));
}

void NpyStream::set_sizes() {
  // Empty axes count as one, so that strides cannot overflow either.
  uint64_t bytes = static_cast<uint64_t>(bytes_per_value_);
  bool empty = false;
  for (const int64_t size : shape_) {
    empty = empty || size == 0;
    const auto factor = static_cast<uint64_t>(std::max<int64_t>(1, size));
    if (__builtin_mul_overflow(bytes, factor, &bytes) || bytes > INT64_MAX) {
      refuse(fmt::format("shape [{}] has more bytes than can be counted", fmt::join(shape_, ", ")));
    }
  }
  data_bytes_ = empty ? 0 : bytes;
  if (data_bytes_ != left_) {
    refuse(fmt::format("shape [{}] needs {} bytes of data; {} are there", fmt::join(shape_, ", "),
                       data_bytes_, left_));
  }
}

at::Tensor NpyStream::values(const std::vector<int64_t>& shape) {
  at::Tensor tensor = at::empty(shape, type_);
  const auto bytes = bytes_of(tensor);
  take(bytes);
  if (swapped_) swap_bytes(bytes, static_cast<size_t>(bytes_per_value_));
  if (type_ == at::kBool &&
      !std::ranges::all_of(bytes, [](std::byte b) { return std::to_integer<int>(b) <= 1; })) {
    refuse("a bool is neither 0 nor 1");
  }
  return tensor;
}

at::Tensor NpyStream::read() {
  if (data_bytes_ > limit_) {
    refuse(fmt::format("takes {} bytes; at most {} are allowed here", data_bytes_, limit_));
  }
  if (!fortran_) return values(shape_);
  // Stored with the first axis fastest: read it as the reversed shape and turn the axes round. The
  // bytes of a fixed string stay together.
  std::vector<int64_t> stored = shape_;
  const auto axes = static_cast<std::ptrdiff_t>(shape_.size()) - (fixed_bytes_ ? 1 : 0);
  std::reverse(stored.begin(), stored.begin() + axes);
  std::vector<int64_t> order;
  for (std::ptrdiff_t d = axes - 1; d >= 0; --d) order.push_back(d);
  if (fixed_bytes_) order.push_back(axes);
  return values(stored).permute(order).contiguous();
}

at::Tensor NpyStream::read_rows(int64_t begin, int64_t end) {
  const int64_t rows = shape_.empty() ? 0 : shape_[0];
  if (begin < 0 || end < begin || end > rows) {
    refuse(fmt::format("entries {} to {} of the first axis do not exist; shape is [{}]", begin,
                       end - 1, fmt::join(shape_, ", ")));
  }
  if (fortran_) return read().narrow(0, begin, end - begin).contiguous();
  const uint64_t row_bytes = rows > 0 ? data_bytes_ / static_cast<uint64_t>(rows) : 0;
  const uint64_t wanted = static_cast<uint64_t>(end - begin) * row_bytes;
  if (wanted > limit_) {
    refuse(fmt::format("{} entries take {} bytes; at most {} are allowed here", end - begin, wanted,
                       limit_));
  }
  skip(static_cast<uint64_t>(begin) * row_bytes);
  std::vector<int64_t> shape = shape_;
  shape[0] = end - begin;
  return values(shape);
}

}  // namespace momap
