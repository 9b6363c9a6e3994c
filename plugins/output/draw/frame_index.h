// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <momap/base/error.h>

#include <cstdint>
#include <string_view>

namespace momap::draw {

/// The frame meant by the parameter 'frame' of `owner`: negative counts from the end. Throws
/// DataError.
inline int64_t frame_index(int64_t frame, int64_t length, std::string_view owner) {
  const int64_t index = frame < 0 ? length + frame : frame;
  if (index < 0 || index >= length) {
    throw DataError(
        fmt::format("{}: 'frame' = {}, but there are {} frames; expected [{}, {}], negative counts "
                    "from the end",
                    owner, frame, length, -length, length - 1));
  }
  return index;
}

}  // namespace momap::draw
