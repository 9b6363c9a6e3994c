// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/momap.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace momap::points {

using Colour = std::array<uint8_t, 3>;  // RGB

/// Valid pixels of every `stride`-th row and column whose positions in frames [first, end) are all
/// finite, in reading order.
std::vector<int64_t> chosen(const MoMap& momap, int64_t stride, int64_t first, int64_t end);

/// Colour of each pixel of frame 0, from the clip the map belongs to; grey without one. Throws
/// DataError when the clip has another size; `owner` is the plugin that asks.
std::vector<Colour> colours(const MoMap& momap, const Clip* image,
                            const std::vector<int64_t>& pixels, std::string_view owner);

}  // namespace momap::points
