// SPDX-License-Identifier: Apache-2.0
#include "pyramid.h"

#include <algorithm>
#include <cmath>
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
  std::vector<Cell> cells;

  Level(int64_t rows, int64_t columns) : height(rows), width(columns), cells(rows * columns) {}
  Cell& at(int64_t y, int64_t x) { return cells[y * width + x]; }
  const Cell& at(int64_t y, int64_t x) const { return cells[y * width + x]; }
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

Level finest(const Frame& frame, int background_preference) {
  constexpr float kLowest = 1e-6f;  // keeps products of two preferences far from underflow
  Level level(frame.height, frame.width);
  float farthest = 0;
  for (int64_t i = 0; i < frame.height * frame.width; ++i) {
    if (frame.covered[i] && usable(frame.depth[i])) farthest = std::max(farthest, frame.depth[i]);
  }
  for (int64_t i = 0; i < frame.height * frame.width; ++i) {
    if (!frame.covered[i]) {
      level.cells[i] = {0, 0, 0, 0, 0, kLowest};
      continue;
    }
    // Where it is unknown the farthest is as good as any.
    const float depth = usable(frame.depth[i]) ? frame.depth[i] : farthest;
    float preference = 1;
    if (usable(frame.depth[i])) {
      for (int n = 0; n < background_preference; ++n) preference *= frame.depth[i] / farthest;
    }
    const uint8_t* rgb = frame.rgb + 3 * i;
    level.cells[i] = {static_cast<float>(rgb[0]),
                      static_cast<float>(rgb[1]),
                      static_cast<float>(rgb[2]),
                      depth,
                      1,
                      std::max(preference, kLowest)};
  }
  return level;
}

Level pull(const Level& fine) {
  Level coarse((fine.height + 1) / 2, (fine.width + 1) / 2);
  for (int64_t y = 0; y < coarse.height; ++y) {
    for (int64_t x = 0; x < coarse.width; ++x) {
      Mean mean;
      float known = 0;
      const int64_t y_end = std::min(2 * y + 2, fine.height),
                    x_end = std::min(2 * x + 2, fine.width);
      for (int64_t v = 2 * y; v < y_end; ++v) {
        for (int64_t u = 2 * x; u < x_end; ++u) {
          const Cell& cell = fine.at(v, u);
          if (cell.known == 0) continue;
          mean.add(cell, cell.known * cell.preference);
          known += cell.known;
        }
      }
      Cell& out = coarse.at(y, x);
      if (known == 0) {
        out = {0, 0, 0, 0, 0, 0};
        continue;
      }
      const float scale = 1 / mean.weight;
      out = {mean.r * scale,     mean.g * scale,        mean.b * scale,
             mean.depth * scale, std::min(known, 1.0f), mean.preference * scale};
    }
  }
  return coarse;
}

/// Completes `fine` from `coarse`, all of whose cells are known.
void push(const Level& coarse, Level& fine) {
  for (int64_t y = 0; y < fine.height; ++y) {
    // The nearest parent and the next one towards which the child lies: weights 3/4 and 1/4.
    const int64_t y0 = y / 2, y1 = std::clamp(y0 + (y % 2 ? 1 : -1), int64_t{0}, coarse.height - 1);
    for (int64_t x = 0; x < fine.width; ++x) {
      Cell& cell = fine.at(y, x);
      if (cell.known >= 1) continue;
      const int64_t x0 = x / 2,
                    x1 = std::clamp(x0 + (x % 2 ? 1 : -1), int64_t{0}, coarse.width - 1);
      const Cell* parents[] = {&coarse.at(y0, x0), &coarse.at(y0, x1), &coarse.at(y1, x0),
                               &coarse.at(y1, x1)};
      constexpr float kBilinear[] = {9.0f / 16, 3.0f / 16, 3.0f / 16, 1.0f / 16};
      Mean mean;
      for (int n = 0; n < 4; ++n) mean.add(*parents[n], kBilinear[n] * parents[n]->preference);
      const float rest = (1 - cell.known) / mean.weight;
      cell = {cell.known * cell.r + rest * mean.r,
              cell.known * cell.g + rest * mean.g,
              cell.known * cell.b + rest * mean.b,
              cell.known * cell.depth + rest * mean.depth,
              1,
              cell.known * cell.preference + rest * mean.preference};
    }
  }
}

uint8_t to_byte(float value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
}

}  // namespace

void fill(const Frame& frame, int background_preference) {
  std::vector<Level> levels{finest(frame, background_preference)};
  while (levels.back().height > 1 || levels.back().width > 1) levels.push_back(pull(levels.back()));
  // The coarsest level is one cell, which is fully known as soon as one pixel is.
  for (size_t l = levels.size() - 1; l-- > 0;) push(levels[l + 1], levels[l]);
  for (int64_t i = 0; i < frame.height * frame.width; ++i) {
    if (frame.covered[i]) continue;
    const Cell& cell = levels[0].cells[i];
    frame.rgb[3 * i] = to_byte(cell.r);
    frame.rgb[3 * i + 1] = to_byte(cell.g);
    frame.rgb[3 * i + 2] = to_byte(cell.b);
    frame.depth[i] = cell.depth;
  }
}

}  // namespace momap::completion
