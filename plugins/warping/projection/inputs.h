// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/image.h>
#include <momap/data/momap.h>
#include <momap/data/view.h>

#include <string>

namespace momap::warping {

/// Widest and highest image that can be drawn, px.
constexpr int64_t kLargestSide = 15'000;

/// Throws DataError when image, map and view do not fit together, have no pixel or are larger than
/// kLargestSide (with `scale` times the view's pixels along each side).
void check_inputs(const std::string& owner, const Image& image, const MoMap& momap,
                  const View& view, int scale = 1);

}  // namespace momap::warping
