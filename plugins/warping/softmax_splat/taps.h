// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace momap::warping {

/// The four pixels around a position and their bilinear shares. Corner 0 is the upper left, 1 the
/// upper right, 2 and 3 are those below.
struct Taps {
  int64_t column, row;  // of corner 0
  int64_t pixel;        // its index
  float right, down;    // fractions
  bool inside;          // all four are in the image

  /// False where no corner is in the image: NaN, infinite, beside it.
  bool find(float x, float y, int64_t height, int64_t width) {
    if (!(x > -1 && y > -1 && x < static_cast<float>(width) && y < static_cast<float>(height))) {
      return false;
    }
    column = static_cast<int64_t>(x + 1) - 1;
    row = static_cast<int64_t>(y + 1) - 1;
    right = x - static_cast<float>(column);
    down = y - static_cast<float>(row);
    pixel = row * width + column;
    inside = column >= 0 && row >= 0 && column + 1 < width && row + 1 < height;
    return true;
  }

  bool has(int corner, int64_t height, int64_t width) const {
    const int64_t x = column + (corner & 1), y = row + (corner >> 1);
    return x >= 0 && y >= 0 && x < width && y < height;
  }
  int64_t at(int corner, int64_t width) const {
    return pixel + (corner & 1) + (corner >> 1) * width;
  }
  float share(int corner) const {
    return ((corner & 1) ? right : 1 - right) * ((corner >> 1) ? down : 1 - down);
  }
};

}  // namespace momap::warping
