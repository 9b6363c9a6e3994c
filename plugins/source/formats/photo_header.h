// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace momap {

/// What an image file says of itself before anything is decoded. Absent where the format is not
/// known to us.
struct PhotoHeader {
  std::optional<int64_t> width, height;  ///< px, before EXIF orientation
  std::optional<double>
      focal_length_35mm;   ///< EXIF: focal length for a frame with a diagonal of 43.27 mm
  bool truncated = false;  ///< a JPEG without end marker: decoders fill the rest with grey
};

/// Reads PNG, JPEG, BMP and WebP headers; every offset is checked against `bytes`.
PhotoHeader read_photo_header(std::string_view bytes);

}  // namespace momap
