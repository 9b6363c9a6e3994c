// SPDX-License-Identifier: Apache-2.0
#include "pyramid.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace momap::completion {
namespace {

struct Cell {
  float r, g, b;     // mean colour, 0 .. 255
  float depth;       // mean, metres
  float known;       // 0 = nothing is known, 1 = all of it
  float preference;  // (0, 1], how far behind it lies
};

struct Level {
  int64_t height, width;
  std::unique_ptr<Cell[]> cells;

  Level(int64_t rows, int64_t columns)
      : height(rows),
        width(columns),
        cells(std::make_unique_for_overwrite<Cell[]>(static_cast<size_t>(rows * columns))) {}
  Cell& operator()(int64_t y, int64_t x) { return cells[y * width + x]; }
  const Cell& operator()(int64_t y, int64_t x) const { return cells[y * width + x]; }
};

/// Weighted mean of cells, as it is gathered.
struct Mean {
  float r = 0, g = 0, b = 0, depth = 0, preference = 0, weight = 0;

  void add(const Cell& cell, float weight_of_cell) {
    r += weight_of_cell * cell.r;
    g += weight_of_cell * cell.g;
    b += weight_of_cell * cell.b;
    depth += weight_of_cell * cell.depth;
    preference += weight_of_cell * cell.preference;
    weight += weight_of_cell;
  }
};

bool usable(float depth) { return depth > 0 && std::isfinite(depth); }

/// The finest level: a frame, read as cells.
class Pixels {
 public:
  Pixels(const Frame& frame, int background_preference)
      : height(frame.height), width(frame.width), frame_(frame), power_(background_preference) {
    for (int64_t i = 0; i < height * width; ++i) {
      if (frame.covered[i] && usable(frame.depth[i]))
        farthest_ = std::max(farthest_, frame.depth[i]);
    }
    per_farthest_ = farthest_ > 0 ? 1 / farthest_ : 0;
  }

  Cell operator()(int64_t y, int64_t x) const {
    constexpr float kLowest = 1e-6f;  // keeps products of two preferences far from underflow
    const int64_t i = y * width + x;
    if (!frame_.covered[i]) return {0, 0, 0, 0, 0, kLowest};
    // Where it is unknown the farthest is as good as any.
    const bool known = usable(frame_.depth[i]);
    const float share = known ? frame_.depth[i] * per_farthest_ : 1.0f;
    float preference = 1;
    for (int n = 0; n < power_; ++n) preference *= share;
    const uint8_t* rgb = frame_.rgb + 3 * i;
    return {static_cast<float>(rgb[0]),
            static_cast<float>(rgb[1]),
            static_cast<float>(rgb[2]),
            known ? frame_.depth[i] : farthest_,
            1,
            std::max(preference, kLowest)};
  }

  const int64_t height, width;

 private:
  const Frame& frame_;
  int power_;
  float farthest_ = 0, per_farthest_ = 0;
};

/// The next coarser level of a Level or of Pixels.
template <class Fine>
Level pull(const Fine& fine) {
  Level coarse((fine.height + 1) / 2, (fine.width + 1) / 2);
  for (int64_t y = 0; y < coarse.height; ++y) {
    for (int64_t x = 0; x < coarse.width; ++x) {
      Mean mean;
      float known = 0;
      const int64_t y_end = std::min(2 * y + 2, fine.height),
                    x_end = std::min(2 * x + 2, fine.width);
      for (int64_t v = 2 * y; v < y_end; ++v) {
        for (int64_t u = 2 * x; u < x_end; ++u) {
          const Cell cell = fine(v, u);
          mean.add(cell, cell.known * cell.preference);
          known += cell.known;
        }
      }
      const float scale = known > 0 ? 1 / mean.weight : 0;
      coarse(y, x) = {mean.r * scale,     mean.g * scale,        mean.b * scale,
                      mean.depth * scale, std::min(known, 1.0f), mean.preference * scale};
    }
  }
  return coarse;
}

/// What the level above says of a cell: its nearest parent and the next one towards which it lies,
/// with weights 3/4 and 1/4 along each side. All cells of `coarse` are known.
Cell from_above(const Level& coarse, int64_t y, int64_t x) {
  const int64_t y0 = y / 2, y1 = std::clamp(y0 + (y % 2 ? 1 : -1), int64_t{0}, coarse.height - 1);
  const int64_t x0 = x / 2, x1 = std::clamp(x0 + (x % 2 ? 1 : -1), int64_t{0}, coarse.width - 1);
  const Cell* parents[] = {&coarse(y0, x0), &coarse(y0, x1), &coarse(y1, x0), &coarse(y1, x1)};
  constexpr float kBilinear[] = {9.0f / 16, 3.0f / 16, 3.0f / 16, 1.0f / 16};
  Mean mean;
  for (int n = 0; n < 4; ++n) mean.add(*parents[n], kBilinear[n] * parents[n]->preference);
  const float scale = 1 / mean.weight;
  return {mean.r * scale,         mean.g * scale, mean.b * scale, mean.depth * scale, 1,
          mean.preference * scale};
}

/// Completes `fine` from `coarse`.
void push(const Level& coarse, Level& fine) {
  for (int64_t y = 0; y < fine.height; ++y) {
    for (int64_t x = 0; x < fine.width; ++x) {
      Cell& cell = fine(y, x);
      if (cell.known >= 1) continue;
      const Cell above = from_above(coarse, y, x);
      const float known = cell.known, rest = 1 - known;
      cell = {known * cell.r + rest * above.r,
              known * cell.g + rest * above.g,
              known * cell.b + rest * above.b,
              known * cell.depth + rest * above.depth,
              1,
              known * cell.preference + rest * above.preference};
    }
  }
}

uint8_t to_byte(float value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
}

}  // namespace

void fill(const Frame& frame, int background_preference) {
  const Pixels pixels(frame, background_preference);
  std::vector<Level> levels;
  levels.push_back(pull(pixels));
  while (levels.back().height > 1 || levels.back().width > 1) levels.push_back(pull(levels.back()));
  // The coarsest level is one cell, which is fully known as soon as one pixel is.
  for (size_t l = levels.size() - 1; l-- > 0;) push(levels[l + 1], levels[l]);
  for (int64_t y = 0; y < frame.height; ++y) {
    for (int64_t x = 0; x < frame.width; ++x) {
      const int64_t i = y * frame.width + x;
      if (frame.covered[i]) continue;
      const Cell cell = from_above(levels[0], y, x);
      frame.rgb[3 * i] = to_byte(cell.r);
      frame.rgb[3 * i + 1] = to_byte(cell.g);
      frame.rgb[3 * i + 2] = to_byte(cell.b);
      frame.depth[i] = cell.depth;
    }
  }
}

}  // namespace momap::completion
