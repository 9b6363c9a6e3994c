// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace momap::completion {

/// One frame to fill; `rgb` and `depth` are changed where `covered` is false.
struct Frame {
  uint8_t* rgb;         // [H, W, 3]
  const bool* covered;  // [H, W], at least one true
  float* depth;         // [H, W], metres; a value that is no depth counts as unknown
  int64_t height, width;
};

/// Fills the holes of a frame from a pyramid of weighted means: each coarser level holds the mean
/// of what is known of 2 x 2 cells (pull), and each cell that is not fully known takes the rest
/// from the level above (push).
///
/// Colours count in proportion to depth^`background_preference`, because holes open behind what
/// moved.
void fill(const Frame& frame, int background_preference);

}  // namespace momap::completion
