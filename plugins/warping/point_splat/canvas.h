// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace momap::warping {

/// The z-buffer of a frame, and who holds each pixel. The nearest wins; at equal depth the first.
class Canvas {
 public:
  Canvas(int64_t columns, int64_t rows, int64_t points)
      : width(columns),
        height(rows),
        colour_(columns * rows),
        owner_(columns * rows),
        seen_(points) {}

  const int64_t width, height;

  /// Takes `depth` [H, W] as the z-buffer and empties it.
  void begin(float* depth);

  void put(int64_t pixel, float depth, uint32_t colour, int64_t point) {
    if (!(depth < depth_[pixel])) return;
    depth_[pixel] = depth;
    colour_[pixel] = colour;
    owner_[pixel] = static_cast<uint32_t>(point);
  }

  /// The same for `count` points that fall on pixels in a row with their own numbers; a depth of 0
  /// is none.
  void put_in_place(int64_t first, int64_t count, const float* depth, const uint32_t* colour);

  /// How many points hold a pixel.
  int64_t visible_points();

  /// The picture: covered where at least half of the `samples` x `samples` pixels of the canvas
  /// are; colour is the mean of these, depth that of the nearest. Elsewhere all is zero. `depth`
  /// may be the z-buffer itself where `samples` is 1.
  void resolve(int samples, uint8_t* rgb, bool* covered, float* depth) const;

 private:
  static constexpr float kEmpty = std::numeric_limits<float>::infinity();

  void resolve_pixels(uint8_t* rgb, bool* covered, float* depth) const;

  float* depth_ = nullptr;        // [H, W], metres; kEmpty: nothing there
  std::vector<uint32_t> colour_;  // [H, W]
  std::vector<uint32_t> owner_;   // [H, W], the point that holds the pixel
  std::vector<uint8_t> seen_;     // whether each point holds a pixel; for `visible_points`
};

}  // namespace momap::warping
