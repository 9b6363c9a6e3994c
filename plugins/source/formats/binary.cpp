// SPDX-License-Identifier: Apache-2.0
#include "binary.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <bit>

#include "files.h"

namespace momap::formats {

static_assert(std::endian::native == std::endian::little, "the files hold little-endian numbers");

constexpr int32_t kLargestSide = 32768;  // px

BinaryFile::BinaryFile(const std::filesystem::path& path) : path_(path), bytes_(read_bytes(path)) {}

void BinaryFile::refuse(const std::string& what) const {
  throw DataError(fmt::format("{}: {}", shown(path_), what));
}

void BinaryFile::copy(void* out, size_t bytes, const char* what) {
  if (bytes_.size() - position_ < bytes) {
    refuse(fmt::format("ends at byte {} within the {}; it is cut off or of another format",
                       bytes_.size(), what));
  }
  std::memcpy(out, bytes_.data() + position_, bytes);
  position_ += bytes;
}

BinaryFile::Size BinaryFile::take_size() {
  const auto width = take<int32_t>("width");
  const auto height = take<int32_t>("height");
  if (width < 1 || height < 1 || width > kLargestSide || height > kLargestSide) {
    refuse(fmt::format("size = {} x {} px; expected 1 to {} each", width, height, kLargestSide));
  }
  return {width, height};
}

void BinaryFile::require_left(uint64_t bytes, const std::string& for_what) const {
  const uint64_t left = bytes_.size() - position_;
  if (left != bytes) {
    refuse(fmt::format("holds {} bytes of data; expected {} for {}; it is {}", left, bytes,
                       for_what, left < bytes ? "cut off" : "of another format"));
  }
}

}  // namespace momap::formats
