// SPDX-License-Identifier: Apache-2.0
#include "pfm.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

#include <cmath>
#include <cstring>
#include <string>
#include <string_view>

#include "files.h"

namespace momap::formats {
namespace {

constexpr double kLargestSide = 32768;  // px

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw DataError(fmt::format("{}: {}", shown(path), what));
}

// The next line of the header without its end; nothing else is text in the file.
std::string_view header_line(std::string_view bytes, size_t& position,
                             const std::filesystem::path& path) {
  static constexpr size_t kLongest = 100;
  const size_t end = bytes.substr(0, position + kLongest).find('\n', position);
  if (end == std::string_view::npos) refuse(path, "its header does not end; it is not a PFM file");
  std::string_view line = bytes.substr(position, end - position);
  while (line.ends_with(' ') || line.ends_with('\r')) line.remove_suffix(1);  // as some write it
  position = end + 1;
  return line;
}

void swap_bytes(float& value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  bits = __builtin_bswap32(bits);
  std::memcpy(&value, &bits, sizeof bits);
}

}  // namespace

at::Tensor read_pfm(const std::filesystem::path& path) {
  const std::string bytes = read_bytes(path);
  size_t position = 0;
  const std::string_view kind = header_line(bytes, position, path);
  if (kind != "PF" && kind != "Pf") {
    refuse(path, fmt::format("starts with '{}'; expected PF or Pf", printable(kind)));
  }
  const int64_t channels = kind == "PF" ? 3 : 1;
  const std::string_view size_line = header_line(bytes, position, path);
  const auto size = parse_numbers(size_line);
  const auto side = [](double v) { return v >= 1 && v <= kLargestSide && v == std::floor(v); };
  if (!size || size->size() != 2 || !side((*size)[0]) || !side((*size)[1])) {
    refuse(path, fmt::format("size = '{}'; expected width and height of 1 to {} px",
                             printable(size_line), kLargestSide));
  }
  const auto width = static_cast<int64_t>((*size)[0]), height = static_cast<int64_t>((*size)[1]);
  const std::string_view scale_line = header_line(bytes, position, path);
  const auto scale = parse_numbers(scale_line);
  if (!scale || scale->size() != 1 || (*scale)[0] == 0) {
    refuse(path,
           fmt::format("scale = '{}'; expected a number other than 0", printable(scale_line)));
  }
  const int64_t row_values = width * channels;
  const auto needed = static_cast<uint64_t>(row_values * height) * sizeof(float);
  if (bytes.size() - position != needed) {
    refuse(path, fmt::format("holds {} bytes of data; expected {} for {} x {} px of {} channels",
                             bytes.size() - position, needed, width, height, channels));
  }
  at::Tensor out = channels == 1 ? at::empty({height, width}, at::kFloat)
                                 : at::empty({height, width, channels}, at::kFloat);
  float* values = out.data_ptr<float>();
  for (int64_t y = 0; y < height; ++y) {
    float* row = values + (height - 1 - y) * row_values;
    const auto row_bytes = static_cast<size_t>(row_values) * sizeof(float);
    std::memcpy(row, bytes.data() + position, row_bytes);
    position += row_bytes;
    if ((*scale)[0] > 0) {
      for (int64_t x = 0; x < row_values; ++x) swap_bytes(row[x]);
    }
  }
  return out;
}

}  // namespace momap::formats
