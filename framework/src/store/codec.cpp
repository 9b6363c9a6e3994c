// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/data/tensor_file.h>
#include <momap/store/codec.h>

#include <algorithm>
#include <stdexcept>

#include "encoded_header.h"

// An encoded tensor: magic "MMT1", method u8, length of the type's name u8, dimensions u8, 0 u8,
// the name, u64 sizes; then what the method writes. All little-endian.

namespace momap {
namespace {

constexpr uint32_t kMagic = 0x31544d4d;  // "MMT1"
constexpr uint8_t kMostDimensions = 8;
constexpr int64_t kBlockWords = 64 << 10;  // numbers of a lossless block

// Rows (time) and columns (all else) of a tensor.
struct Plane {
  int64_t rows = 1, columns = 1;

  explicit Plane(const std::vector<int64_t>& sizes) {
    if (!sizes.empty()) rows = sizes[0];
    for (size_t d = 1; d < sizes.size(); ++d) columns *= sizes[d];
  }
};

NumberKind kind_of(at::ScalarType type) {
  return c10::isFloatingType(type) ? NumberKind::real : NumberKind::integer;
}

template <class Visit>
void for_each_block(const Plane& plane, Visit visit) {
  if (plane.rows == 0 || plane.columns == 0) return;
  const int64_t step = BlockCoder::block_columns(plane.rows, plane.columns, kBlockWords);
  for (int64_t first = 0; first < plane.columns; first += step) {
    visit(first, std::min(step, plane.columns - first));
  }
}

template <class Word>
void encode_words(const at::Tensor& tensor, const Plane& plane, EncodedTensor& out) {
  const auto* words = static_cast<const Word*>(tensor.data_ptr());
  BlockCoder coder;
  for_each_block(plane, [&](int64_t first, int64_t columns) {
    coder.encode(words + first, plane.rows, columns, plane.columns, kind_of(tensor.scalar_type()),
                 out);
  });
}

template <class Word>
void decode_words(ByteReader& in, const Plane& plane, at::Tensor& tensor) {
  auto* words = static_cast<Word*>(tensor.data_ptr());
  BlockCoder coder;
  for_each_block(plane, [&](int64_t first, int64_t columns) {
    coder.decode(in, words + first, plane.rows, columns, plane.columns,
                 kind_of(tensor.scalar_type()));
  });
}

}  // namespace

void put_header(const EncodedHeader& header, EncodedTensor& out) {
  const std::string type = safetensors_type(header.type);
  put_number(out, kMagic);
  put_number(out, header.method);
  put_number(out, static_cast<uint8_t>(type.size()));
  put_number(out, static_cast<uint8_t>(header.sizes.size()));
  put_number(out, uint8_t{0});
  for (const char c : type) put_number(out, c);
  for (const int64_t size : header.sizes) put_number(out, static_cast<uint64_t>(size));
}

EncodedHeader get_header(ByteReader& in, uint64_t most_bytes) {
  if (in.number<uint32_t>() != kMagic) in.refuse("is not a tensor encoded by momap");
  EncodedHeader header;
  header.method = in.number<EncodedHeader::Method>();
  if (header.method != EncodedHeader::Method::lossless &&
      header.method != EncodedHeader::Method::lossy) {
    in.refuse(fmt::format("method {}; this momap knows 1 and 2", static_cast<int>(header.method)));
  }
  const auto type_length = in.number<uint8_t>();
  const auto dimensions = in.number<uint8_t>();
  if (in.number<uint8_t>() != 0 || dimensions > kMostDimensions) {
    in.refuse(fmt::format("{} dimensions; expected at most {}", dimensions, kMostDimensions));
  }
  const auto name = in.take(type_length);
  const auto type = safetensors_type({reinterpret_cast<const char*>(name.data()), name.size()});
  if (!type) in.refuse("its element type is not known");
  header.type = *type;
  uint64_t bytes = c10::elementSize(header.type);
  bool empty = false;
  for (int d = 0; d < dimensions; ++d) {
    const auto size = in.number<uint64_t>();
    empty = empty || size == 0;
    if (__builtin_mul_overflow(bytes, std::max<uint64_t>(1, size), &bytes) || bytes > most_bytes) {
      in.refuse(fmt::format("claims more than the {} bytes expected", most_bytes));
    }
    header.sizes.push_back(static_cast<int64_t>(size));
  }
  return header;
}

EncodedTensor encode_lossless(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.contiguous();
  EncodedHeader header{.method = EncodedHeader::Method::lossless,
                       .type = whole.scalar_type(),
                       .sizes = whole.sizes().vec()};
  if (whole.dim() > kMostDimensions || whole.itemsize() > 4) {
    throw std::invalid_argument(fmt::format("a tensor of {} with {} dimensions cannot be encoded",
                                            c10::toString(whole.scalar_type()), whole.dim()));
  }
  EncodedTensor out;
  put_header(header, out);
  const Plane plane(header.sizes);
  if (whole.itemsize() == 1) encode_words<uint8_t>(whole, plane, out);
  if (whole.itemsize() == 2) encode_words<uint16_t>(whole, plane, out);
  if (whole.itemsize() == 4) encode_words<uint32_t>(whole, plane, out);
  return out;
}

at::Tensor decode(std::span<const std::byte> bytes, const std::string& owner, uint64_t most_bytes) {
  ByteReader in(bytes, owner);
  const EncodedHeader header = get_header(in, most_bytes);
  if (header.method == EncodedHeader::Method::lossy &&
      (header.type != at::kFloat || header.sizes.size() != 4 || header.sizes[3] != 3)) {
    in.refuse("a map with loss is not f32 [T, H, W, 3]");
  }
  const int64_t width = static_cast<int64_t>(c10::elementSize(header.type));
  if (width > 4) in.refuse("elements of 8 bytes are not encoded");
  at::Tensor tensor = at::empty(header.sizes, header.type);
  const Plane plane(header.sizes);
  if (header.method == EncodedHeader::Method::lossy) {
    decode_lossy(in, tensor);
  } else if (width == 1) {
    decode_words<uint8_t>(in, plane, tensor);
  } else if (width == 2) {
    decode_words<uint16_t>(in, plane, tensor);
  } else {
    decode_words<uint32_t>(in, plane, tensor);
  }
  if (header.type == at::kBool) {
    const auto* flags = static_cast<const uint8_t*>(tensor.data_ptr());
    const bool clean =
        std::all_of(flags, flags + tensor.numel(), [](uint8_t flag) { return flag <= 1; });
    if (!clean) in.refuse("a BOOL is neither 0 nor 1");
  }
  return tensor;
}

}  // namespace momap
