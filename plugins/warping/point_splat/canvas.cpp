// SPDX-License-Identifier: Apache-2.0
#include "canvas.h"

#include <momap/base/clones.h>
#include <projection/branchless.h>

#include <algorithm>

namespace momap::warping {
namespace {

MOMAP_CLONES int64_t sum_of(const uint8_t* values, int64_t count) {
  int64_t total = 0;
  for (int64_t begin = 0; begin < count; begin += 255) {
    const int64_t end = std::min<int64_t>(count, begin + 255);
    uint8_t n = 0;
    for (int64_t i = begin; i < end; ++i) n = static_cast<uint8_t>(n + values[i]);
    total += n;
  }
  return total;
}

MOMAP_CLONES void split_depth(const float* from, int64_t count, float empty, uint8_t* covered,
                              float* depth) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    covered[i] = from[i] < empty ? 1 : 0;
    depth[i] = from[i] < empty ? from[i] : 0.0f;
  }
}

MOMAP_CLONES void take_nearer(const float* depth, const uint32_t* colour, int64_t count,
                              uint32_t first, float* nearest, uint32_t* shown, uint32_t* owner) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const int32_t takes = (depth[i] > 0) & (depth[i] < nearest[i]);
    nearest[i] = choose(takes, depth[i], nearest[i]);
    shown[i] = choose(takes, colour[i], shown[i]);
    owner[i] = choose(takes, first + static_cast<uint32_t>(i), owner[i]);
  }
}

/// Four pixels (red in the lowest byte) to twelve bytes.
void pack_four(const uint32_t* colour, uint8_t* rgb) {
  const uint32_t words[3] = {colour[0] | colour[1] << 24, colour[1] >> 8 | colour[2] << 16,
                             colour[2] >> 16 | colour[3] << 8};
  __builtin_memcpy(rgb, words, sizeof words);
}

}  // namespace

void Canvas::begin(float* depth) {
  depth_ = depth;
  std::fill_n(depth_, width * height, kEmpty);
}

void Canvas::put_in_place(int64_t first, int64_t count, const float* depth,
                          const uint32_t* colour) {
  take_nearer(depth, colour, count, static_cast<uint32_t>(first), depth_ + first,
              colour_.data() + first, owner_.data() + first);
}

int64_t Canvas::visible_points() {
  std::ranges::fill(seen_, uint8_t{0});
  for (int64_t i = 0; i < width * height; ++i) {
    if (depth_[i] != kEmpty) seen_[owner_[i]] = 1;
  }
  return sum_of(seen_.data(), static_cast<int64_t>(seen_.size()));
}

void Canvas::resolve(int samples, uint8_t* rgb, bool* covered, float* depth) const {
  if (samples == 1) return resolve_pixels(rgb, covered, depth);
  const int64_t columns = width / samples, rows = height / samples;
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < columns; ++x) {
      uint32_t sum[3] = {0, 0, 0};
      uint32_t filled = 0;
      float nearest = kEmpty;
      for (int sy = 0; sy < samples; ++sy) {
        for (int sx = 0; sx < samples; ++sx) {
          const int64_t i = (y * samples + sy) * width + x * samples + sx;
          if (depth_[i] == kEmpty) continue;
          ++filled;
          nearest = std::min(nearest, depth_[i]);
          for (int c = 0; c < 3; ++c) sum[c] += colour_[i] >> (8 * c) & 0xff;
        }
      }
      const bool shown = 2 * filled >= static_cast<uint32_t>(samples * samples);
      const int64_t i = y * columns + x;
      covered[i] = shown;
      depth[i] = shown ? nearest : 0;
      for (int c = 0; c < 3; ++c) {
        rgb[3 * i + c] = static_cast<uint8_t>(shown ? (sum[c] + filled / 2) / filled : 0);
      }
    }
  }
}

void Canvas::resolve_pixels(uint8_t* rgb, bool* covered, float* depth) const {
  const int64_t count = width * height;
  split_depth(depth_, count, kEmpty, reinterpret_cast<uint8_t*>(covered), depth);
  const auto colour_at = [&](int64_t i) { return covered[i] ? colour_[i] : 0; };
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint32_t four[4] = {colour_at(i), colour_at(i + 1), colour_at(i + 2), colour_at(i + 3)};
    pack_four(four, rgb + 3 * i);
  }
  for (; i < count; ++i) {
    for (int c = 0; c < 3; ++c) rgb[3 * i + c] = static_cast<uint8_t>(colour_at(i) >> (8 * c));
  }
}

}  // namespace momap::warping
