// SPDX-License-Identifier: Apache-2.0
#include "photo_header.h"

#include <cstdlib>

namespace momap {
namespace {

// Big- or little-endian numbers at checked offsets.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes, bool big_endian = true)
      : bytes_(bytes), big_endian_(big_endian) {}

  std::optional<uint32_t> number(size_t at, size_t count) const {
    if (at > bytes_.size() || bytes_.size() - at < count) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t from = at + (big_endian_ ? i : count - 1 - i);
      value = value << 8 | static_cast<unsigned char>(bytes_[from]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

// FocalLengthIn35mmFilm (0xA405) of the Exif sub-directory (0x8769) of a TIFF structure.
std::optional<double> exif_focal_length(std::string_view tiff) {
  if (tiff.size() < 8) return std::nullopt;
  const Bytes bytes(tiff, tiff.starts_with("MM"));
  const auto find = [&](size_t directory, uint32_t wanted) -> std::optional<size_t> {
    const uint32_t entries = bytes.number(directory, 2).value_or(0);
    for (size_t i = 0; i < entries; ++i) {
      const size_t entry = directory + 2 + 12 * i;
      if (bytes.number(entry, 2) == wanted) return entry;
    }
    return std::nullopt;
  };
  const auto exif = find(bytes.number(4, 4).value_or(0), 0x8769);
  if (!exif) return std::nullopt;
  const auto focal = find(bytes.number(*exif + 8, 4).value_or(0), 0xA405);
  if (!focal) return std::nullopt;
  const uint32_t millimetres = bytes.number(*focal + 8, 2).value_or(0);
  if (millimetres == 0) return std::nullopt;
  return millimetres;
}

PhotoHeader read_jpeg(std::string_view data) {
  PhotoHeader header;
  const Bytes bytes(data);
  size_t at = 2;
  while (const auto marker = bytes.number(at, 2)) {
    if (*marker == 0xFFFF) {  // fill byte
      ++at;
      continue;
    }
    const uint32_t length = bytes.number(at + 2, 2).value_or(0);
    if (*marker < 0xFFC0 || length < 2) break;
    const uint32_t kind = *marker & 0xFF;
    const bool is_frame =
        kind >= 0xC0 && kind <= 0xCF && kind != 0xC4 && kind != 0xC8 && kind != 0xCC;
    if (is_frame) {
      header.height = bytes.number(at + 5, 2);
      header.width = bytes.number(at + 7, 2);
    } else if (kind == 0xE1 && data.substr(at + 4).starts_with(std::string_view("Exif\0\0", 6))) {
      header.focal_length_35mm = exif_focal_length(data.substr(at + 10, length - 8));
    } else if (kind == 0xDA) {
      // Entropy-coded data never contains FF D9, so the end marker can be searched for.
      header.truncated = data.find("\xFF\xD9", at) == std::string_view::npos;
      return header;
    }
    at += 2 + length;
  }
  header.truncated = true;
  return header;
}

PhotoHeader read_webp(std::string_view data) {
  PhotoHeader header;
  const Bytes bytes(data, false);
  const std::string_view chunk = data.substr(12, 4);
  const auto take = [&](std::optional<uint32_t> width, std::optional<uint32_t> height,
                        uint32_t plus) {
    if (width && height) {
      header.width = *width + plus;
      header.height = *height + plus;
    }
  };
  if (chunk == "VP8X") {
    take(bytes.number(24, 3), bytes.number(27, 3), 1);
  } else if (chunk == "VP8L") {
    if (const auto bits = bytes.number(21, 4)) take(*bits & 0x3FFF, *bits >> 14 & 0x3FFF, 1);
  } else if (chunk == "VP8 ") {
    const auto width = bytes.number(26, 2), height = bytes.number(28, 2);
    if (width && height) take(*width & 0x3FFF, *height & 0x3FFF, 0);
  }
  return header;
}

}  // namespace

PhotoHeader read_photo_header(std::string_view data) {
  if (data.starts_with("\xFF\xD8")) return read_jpeg(data);
  if (data.starts_with("RIFF") && data.substr(0, 12).ends_with("WEBP")) return read_webp(data);
  PhotoHeader header;
  if (data.starts_with("\x89PNG")) {
    header.width = Bytes(data).number(16, 4);
    header.height = Bytes(data).number(20, 4);
  } else if (data.starts_with("BM")) {
    const Bytes bytes(data, false);
    header.width = bytes.number(18, 4);
    // Negative: stored top-down.
    if (const auto height = bytes.number(22, 4)) {
      header.height = std::llabs(static_cast<int32_t>(*height));
    }
  }
  return header;
}

}  // namespace momap
