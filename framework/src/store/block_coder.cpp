// SPDX-License-Identifier: Apache-2.0
#include "block_coder.h"

#include <fmt/format.h>
#include <momap/base/clones.h>
#include <momap/base/error.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>

namespace momap {
namespace {

static_assert(std::endian::native == std::endian::little, "blocks hold little-endian numbers");

constexpr int kLevel = 1;  // zstd's
constexpr int kOrders = 3;

enum class Stream : uint8_t { constant, plain, zstd };

template <class Word>
using Signed = std::make_signed_t<Word>;

// Floats as integers that are ordered as their values are; its own inverse.
template <class Word, NumberKind kind>
inline Word ordered(Word bits) {
  if constexpr (kind == NumberKind::real) {
    constexpr int kSign = 8 * sizeof(Word) - 1;
    const auto sign = static_cast<Word>(static_cast<Signed<Word>>(bits) >> kSign);
    return static_cast<Word>(bits ^ (sign & static_cast<Word>(~(Word{1} << kSign))));
  } else {
    return bits;
  }
}

template <class Word>
inline Word zigzag(Word value) {
  const auto sign = static_cast<Word>(static_cast<Signed<Word>>(value) >> (8 * sizeof(Word) - 1));
  return static_cast<Word>(static_cast<Word>(value << 1) ^ sign);
}

template <class Word>
inline Word unzigzag(Word value) {
  return static_cast<Word>((value >> 1) ^ static_cast<Word>(-(value & 1)));
}

// The zigzagged difference of row r from what the rows before it say.
template <class Word, NumberKind kind>
void difference(const Word* in, int64_t r, int64_t columns, int64_t stride, int order,
                Word* __restrict out) {
  const Word* now = in + r * stride;
  if (order == 0 || r == 0) {
    for (int64_t i = 0; i < columns; ++i) out[i] = zigzag(ordered<Word, kind>(now[i]));
    return;
  }
  const Word* before = now - stride;
  if (order == 1 || r == 1) {
    for (int64_t i = 0; i < columns; ++i) {
      out[i] =
          zigzag(static_cast<Word>(ordered<Word, kind>(now[i]) - ordered<Word, kind>(before[i])));
    }
    return;
  }
  const Word* earlier = before - stride;
  for (int64_t i = 0; i < columns; ++i) {
    const auto expected =
        static_cast<Word>(2 * ordered<Word, kind>(before[i]) - ordered<Word, kind>(earlier[i]));
    out[i] = zigzag(static_cast<Word>(ordered<Word, kind>(now[i]) - expected));
  }
}

using Planes = std::array<const uint8_t*, 4>;  // as many as the number has bytes

// Row r from its difference, joined from its byte planes.
template <class Word, NumberKind kind>
[[gnu::always_inline]] inline void restore(const Planes& planes, int64_t r, int64_t columns,
                                           int64_t stride, int order, Word* out) {
  const uint8_t* __restrict p0 = planes[0];
  const uint8_t* __restrict p1 = planes[1];
  const uint8_t* __restrict p2 = planes[2];
  const uint8_t* __restrict p3 = planes[3];
  const auto joined = [&](int64_t i) {
    uint32_t word = p0[i];
    if constexpr (sizeof(Word) > 1) word |= static_cast<uint32_t>(p1[i]) << 8;
    if constexpr (sizeof(Word) > 2) {
      word |= static_cast<uint32_t>(p2[i]) << 16 | static_cast<uint32_t>(p3[i]) << 24;
    }
    return unzigzag(static_cast<Word>(word));
  };
  Word* __restrict now = out + r * stride;
  if (order == 0 || r == 0) {
    for (int64_t i = 0; i < columns; ++i) now[i] = ordered<Word, kind>(joined(i));
    return;
  }
  const Word* before = now - stride;
  if (order == 1 || r == 1) {
    for (int64_t i = 0; i < columns; ++i) {
      now[i] = ordered<Word, kind>(static_cast<Word>(joined(i) + ordered<Word, kind>(before[i])));
    }
    return;
  }
  const Word* earlier = before - stride;
  for (int64_t i = 0; i < columns; ++i) {
    const auto expected =
        static_cast<Word>(2 * ordered<Word, kind>(before[i]) - ordered<Word, kind>(earlier[i]));
    now[i] = ordered<Word, kind>(static_cast<Word>(joined(i) + expected));
  }
}

MOMAP_CLONES
void restore_row(const Planes& planes, int64_t r, int64_t columns, int64_t stride, int order,
                 NumberKind, uint8_t* out) {
  restore<uint8_t, NumberKind::integer>(planes, r, columns, stride, order, out);
}

MOMAP_CLONES
void restore_row(const Planes& planes, int64_t r, int64_t columns, int64_t stride, int order,
                 NumberKind kind, uint16_t* out) {
  if (kind == NumberKind::real) {
    restore<uint16_t, NumberKind::real>(planes, r, columns, stride, order, out);
  } else {
    restore<uint16_t, NumberKind::integer>(planes, r, columns, stride, order, out);
  }
}

MOMAP_CLONES
void restore_row(const Planes& planes, int64_t r, int64_t columns, int64_t stride, int order,
                 NumberKind kind, uint32_t* out) {
  if (kind == NumberKind::real) {
    restore<uint32_t, NumberKind::real>(planes, r, columns, stride, order, out);
  } else {
    restore<uint32_t, NumberKind::integer>(planes, r, columns, stride, order, out);
  }
}

// About how many bits the differences take: what the orders are compared by.
template <class Word>
int64_t cost(const Word* row, int64_t columns) {
  int64_t bits = 0;
  for (int64_t i = 0; i < columns; ++i) bits += std::bit_width(row[i]);
  return bits;
}

}  // namespace

void ByteReader::read(void* out, size_t size) {
  const auto bytes = take(size);
  std::memcpy(out, bytes.data(), size);
}

std::span<const std::byte> ByteReader::take(uint64_t size) {
  if (size > bytes_.size() - position_) {
    refuse(fmt::format("needs {} bytes more and holds {}; it is cut off or damaged", size,
                       bytes_.size() - position_));
  }
  const auto taken = bytes_.subspan(position_, size);
  position_ += size;
  return taken;
}

void ByteReader::refuse(const std::string& what) const {
  throw ConfigError(fmt::format("{}: byte {}: {}", owner_, position_, what));
}

struct BlockCoder::Impl {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> compressor{nullptr, ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> decompressor{nullptr, ZSTD_freeDCtx};
  std::vector<std::byte> words;   // differences of a block
  std::vector<uint8_t> planes;    // their bytes, plane by plane
  std::vector<std::byte> packed;  // a compressed plane

  void put_stream(std::span<const uint8_t> plane, std::vector<std::byte>& out) {
    const bool constant = std::all_of(plane.begin(), plane.end(),
                                      [&](uint8_t byte) { return byte == plane.front(); });
    if (constant) {
      out.push_back(static_cast<std::byte>(Stream::constant));
      out.push_back(static_cast<std::byte>(plane.front()));
      return;
    }
    if (!compressor) compressor.reset(ZSTD_createCCtx());
    if (!compressor) throw std::bad_alloc();
    packed.resize(ZSTD_compressBound(plane.size()));
    const size_t size = ZSTD_compressCCtx(compressor.get(), packed.data(), packed.size(),
                                          plane.data(), plane.size(), kLevel);
    if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
    // A stream that hardly shrinks is cheaper to read as it is.
    const bool worth_it = size < plane.size() - plane.size() / 16;
    out.push_back(static_cast<std::byte>(worth_it ? Stream::zstd : Stream::plain));
    if (worth_it) put_number(out, static_cast<uint32_t>(size));
    const auto* bytes = worth_it ? packed.data() : reinterpret_cast<const std::byte*>(plane.data());
    out.insert(out.end(), bytes, bytes + (worth_it ? size : plane.size()));
  }

  // The stream's bytes: in `buffer`, or where they lie in the input. `constant` says that all are
  // that byte.
  const uint8_t* get_stream(ByteReader& in, std::span<uint8_t> buffer, int& constant) {
    constant = -1;
    const auto how = in.number<uint8_t>();
    if (how == static_cast<uint8_t>(Stream::constant)) {
      constant = in.number<uint8_t>();
      std::memset(buffer.data(), constant, buffer.size());
      return buffer.data();
    }
    if (how == static_cast<uint8_t>(Stream::plain)) {
      return reinterpret_cast<const uint8_t*>(in.take(buffer.size()).data());
    }
    if (how != static_cast<uint8_t>(Stream::zstd)) {
      in.refuse(fmt::format("stream of kind {}; expected 0, 1 or 2", how));
    }
    const auto bytes = in.take(in.number<uint32_t>());
    if (!decompressor) decompressor.reset(ZSTD_createDCtx());
    if (!decompressor) throw std::bad_alloc();
    const size_t size = ZSTD_decompressDCtx(decompressor.get(), buffer.data(), buffer.size(),
                                            bytes.data(), bytes.size());
    if (ZSTD_isError(size)) {
      in.refuse(fmt::format("stream cannot be decompressed: {}", ZSTD_getErrorName(size)));
    }
    if (size != buffer.size()) {
      in.refuse(fmt::format("stream gives {} bytes; expected {}", size, buffer.size()));
    }
    return buffer.data();
  }

  template <class Word, NumberKind kind>
  void encode(const Word* in, int64_t rows, int64_t columns, int64_t stride,
              std::vector<std::byte>& out) {
    const auto count = static_cast<size_t>(rows * columns);
    words.resize(count * sizeof(Word));
    auto* differences = reinterpret_cast<Word*>(words.data());
    int best = 0;
    int64_t least = INT64_MAX;
    for (int order = 0; order < kOrders && rows > 1; ++order) {
      int64_t bits = 0;
      for (int64_t r = 1; r < rows; r += 2) {
        difference<Word, kind>(in, r, columns, stride, order, differences);
        bits += cost(differences, columns);
      }
      if (bits < least) {
        least = bits;
        best = order;
      }
    }
    for (int64_t r = 0; r < rows; ++r) {
      difference<Word, kind>(in, r, columns, stride, best, differences + r * columns);
    }
    planes.resize(count);
    out.push_back(static_cast<std::byte>(best));
    for (size_t plane = 0; plane < sizeof(Word); ++plane) {
      for (size_t i = 0; i < count; ++i) {
        planes[i] = static_cast<uint8_t>(differences[i] >> (8 * plane));
      }
      put_stream(planes, out);
    }
  }

  template <class Word>
  void decode(ByteReader& in, Word* out, int64_t rows, int64_t columns, int64_t stride,
              NumberKind kind, bool* zero) {
    const auto count = static_cast<size_t>(rows * columns);
    const int order = in.number<uint8_t>();
    if (order >= kOrders) in.refuse(fmt::format("difference of order {}; expected 0 to 2", order));
    planes.resize(count * sizeof(Word));
    Planes bytes{};
    bool nothing = true;
    for (size_t plane = 0; plane < sizeof(Word); ++plane) {
      int constant = -1;
      bytes[plane] = get_stream(in, {planes.data() + plane * count, count}, constant);
      nothing = nothing && constant == 0;
    }
    if (zero != nullptr) {
      *zero = nothing;
      if (nothing) return;
    }
    for (int64_t r = 0; r < rows; ++r) {
      restore_row(bytes, r, columns, stride, order, kind, out);
      for (size_t plane = 0; plane < sizeof(Word); ++plane) bytes[plane] += columns;
    }
  }
};

BlockCoder::BlockCoder() : impl_(std::make_unique<Impl>()) {}
BlockCoder::~BlockCoder() = default;

template <class Word>
void BlockCoder::encode(const Word* in, int64_t rows, int64_t columns, int64_t stride,
                        NumberKind kind, std::vector<std::byte>& out) {
  if constexpr (sizeof(Word) > 1) {
    if (kind == NumberKind::real) {
      return impl_->encode<Word, NumberKind::real>(in, rows, columns, stride, out);
    }
  }
  impl_->encode<Word, NumberKind::integer>(in, rows, columns, stride, out);
}

template <class Word>
void BlockCoder::decode(ByteReader& in, Word* out, int64_t rows, int64_t columns, int64_t stride,
                        NumberKind kind, bool* zero) {
  impl_->decode(in, out, rows, columns, stride, kind, zero);
}

int64_t BlockCoder::block_columns(int64_t rows, int64_t columns, int64_t words) {
  const int64_t fitting = std::max<int64_t>(1, words / std::max<int64_t>(1, rows));
  const int64_t blocks = (columns + fitting - 1) / fitting;
  return (columns + blocks - 1) / std::max<int64_t>(1, blocks);
}

template void BlockCoder::encode(const uint8_t*, int64_t, int64_t, int64_t, NumberKind,
                                 std::vector<std::byte>&);
template void BlockCoder::encode(const uint16_t*, int64_t, int64_t, int64_t, NumberKind,
                                 std::vector<std::byte>&);
template void BlockCoder::encode(const uint32_t*, int64_t, int64_t, int64_t, NumberKind,
                                 std::vector<std::byte>&);
template void BlockCoder::decode(ByteReader&, uint8_t*, int64_t, int64_t, int64_t, NumberKind,
                                 bool*);
template void BlockCoder::decode(ByteReader&, uint16_t*, int64_t, int64_t, int64_t, NumberKind,
                                 bool*);
template void BlockCoder::decode(ByteReader&, uint32_t*, int64_t, int64_t, int64_t, NumberKind,
                                 bool*);

}  // namespace momap
