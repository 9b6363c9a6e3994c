// SPDX-License-Identifier: Apache-2.0
#include "textures.h"

#include <momap/base/clones.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <vector>

namespace momap::completion {
namespace {

constexpr int64_t kSide = 16;   // of a block, px
constexpr int64_t kStride = 8;  // from one block to the next, px
// Waves weaker than this are left out: in the first round, and in the last. Grey levels times
// kSide.
constexpr float kFirst = 100, kLast = 8;
constexpr float kPush = 0.5F;  // how far each round's change is carried on

// A row of a block; the compiler keeps it in one register where there are wide ones.
using Row = float __attribute__((vector_size(kSide * sizeof(float))));
using Mask = int32_t __attribute__((vector_size(kSide * sizeof(int32_t))));
struct alignas(64) Block {
  Row row[kSide];
};

/// Rows of `forward` are cosine waves, orthonormal; `inverse` is its transpose.
struct Cosines {
  Block forward, inverse;

  Cosines() {
    for (int64_t k = 0; k < kSide; ++k) {
      for (int64_t i = 0; i < kSide; ++i) {
        const double scale = std::sqrt((k == 0 ? 1.0 : 2.0) / kSide);
        const double wave = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) *
                                     static_cast<double>(k) / kSide);
        forward.row[k][i] = inverse.row[i][k] = static_cast<float>(scale * wave);
      }
    }
  }
};

// out = a b.
inline __attribute__((always_inline)) void multiply(const Block& a, const Block& b, Block& out) {
  const auto* scale = reinterpret_cast<const float*>(&a);
  for (int64_t r = 0; r < kSide; ++r) {
    Row sum = scale[r * kSide] * b.row[0];
#pragma GCC unroll 16
    for (int64_t k = 1; k < kSide; ++k) sum += scale[r * kSide + k] * b.row[k];
    out.row[r] = sum;
  }
}

/// The part of the plane at `from`, brought to its mean and the waves stronger than `threshold`, is
/// added to `sums`, the more the fewer they are.
MOMAP_CLONES void add_thinned(const float* from, int64_t columns, const Cosines& cosines,
                              float threshold, float* sums, float* weights) {
  Block block, half;
  for (int64_t y = 0; y < kSide; ++y) std::memcpy(&block.row[y], from + y * columns, sizeof(Row));
  multiply(cosines.forward, block, half);
  multiply(half, cosines.inverse, block);
  const float mean = block.row[0][0];
  Mask kept{};
  for (Row& row : block.row) {
    const Mask keeps = (row > threshold) | (row < -threshold);
    kept -= keeps;
    row = keeps ? row : Row{};
  }
  block.row[0][0] = mean;
  int32_t count = 1;
  for (int64_t i = 0; i < kSide; ++i) count += kept[i];
  multiply(cosines.inverse, block, half);
  multiply(half, cosines.forward, block);
  const float weight = 1 / static_cast<float>(count);
  for (int64_t y = 0; y < kSide; ++y) {
    Row sum, total;
    std::memcpy(&sum, sums + y * columns, sizeof sum);
    std::memcpy(&total, weights + y * columns, sizeof total);
    sum += weight * block.row[y];
    total += weight;
    std::memcpy(sums + y * columns, &sum, sizeof sum);
    std::memcpy(weights + y * columns, &total, sizeof total);
  }
}

/// A picture in luma and chroma, orthonormal, its rim repeated so that blocks reach over it.
struct Planes {
  explicit Planes(const Picture& picture)
      : rows(picture.height + 2 * kSide),
        columns(picture.width + 2 * kSide),
        unknown(rows * columns),
        holes_before((rows + 1) * (columns + 1)) {
    for (auto& values : plane) values.resize(rows * columns);
    for (int64_t y = 0; y < rows; ++y) {
      for (int64_t x = 0; x < columns; ++x) {
        const int64_t i = std::clamp<int64_t>(y - kSide, 0, picture.height - 1) * picture.width +
                          std::clamp<int64_t>(x - kSide, 0, picture.width - 1);
        const int64_t at = y * columns + x;
        const uint8_t* c = picture.rgb + 3 * i;
        const float r = c[0], g = c[1], b = c[2];
        plane[0][at] = (r + g + b) * kThird;
        plane[1][at] = (r - b) * kHalf;
        plane[2][at] = (r - 2 * g + b) * kSixth;
        unknown[at] = picture.sure[i] ? 0 : 1;
        const int64_t corner = (y + 1) * (columns + 1) + x + 1;
        holes_before[corner] = holes_before[corner - 1] + holes_before[corner - columns - 1] -
                               holes_before[corner - columns - 2] + picture.hole[i];
      }
    }
  }

  /// Whether the block at (y, x) sees a hole.
  bool sees_hole(int64_t y, int64_t x) const {
    const auto* upper = &holes_before[y * (columns + 1) + x];
    const auto* lower = upper + kSide * (columns + 1);
    return lower[kSide] - lower[0] != upper[kSide] - upper[0];
  }

  void store(int64_t at, uint8_t* rgb) const {
    const float l = plane[0][at] * kThird, a = plane[1][at] * kHalf, b = plane[2][at] * kSixth;
    const std::array<float, 3> levels{l + a + b, l - 2 * b, l - a + b};
    for (size_t c = 0; c < 3; ++c) {
      rgb[c] = static_cast<uint8_t>(std::clamp(levels[c], 0.0F, 255.0F) + 0.5F);
    }
  }

  // 1 / sqrt of 3, 2 and 6.
  static constexpr float kThird = 0.57735027F, kHalf = 0.70710678F, kSixth = 0.40824829F;

  int64_t rows, columns;
  std::array<std::vector<float>, 3> plane;
  std::vector<uint8_t> unknown;
  std::vector<int32_t> holes_before;  // [rows + 1, columns + 1], above and to the left
};

}  // namespace

void continue_textures(const Picture& picture, int rounds) {
  static const Cosines cosines;
  Planes planes(picture);
  const int64_t rows = planes.rows, columns = planes.columns;
  tbb::parallel_for(size_t{0}, planes.plane.size(), [&](size_t p) {
    std::vector<float>& plane = planes.plane[p];
    std::vector<float> before = plane, sums(plane.size()), weights(plane.size());
    for (int round = 0; round < rounds; ++round) {
      const float part = static_cast<float>(round + 1) / static_cast<float>(rounds);
      const float threshold = kFirst * std::pow(kLast / kFirst, part);
      std::ranges::fill(sums, 0.0F);
      std::ranges::fill(weights, 0.0F);
      // The lattice of blocks moves from round to round.
      const int64_t shift = round * 37 % (kStride * kStride);
      for (int64_t y = shift / kStride; y + kSide <= rows; y += kStride) {
        for (int64_t x = shift % kStride; x + kSide <= columns; x += kStride) {
          if (!planes.sees_hole(y, x)) continue;
          const int64_t at = y * columns + x;
          add_thinned(&plane[at], columns, cosines, threshold, &sums[at], &weights[at]);
        }
      }
      for (int64_t i = 0; i < rows * columns; ++i) {
        if (!planes.unknown[i] || weights[i] == 0) continue;
        const float next = sums[i] / weights[i];
        const float was = plane[i];
        plane[i] = next + kPush * (next - before[i]);
        before[i] = was;
      }
    }
  });
  for (int64_t y = 0; y < picture.height; ++y) {
    for (int64_t x = 0; x < picture.width; ++x) {
      const int64_t i = y * picture.width + x;
      if (picture.hole[i]) planes.store((y + kSide) * columns + x + kSide, picture.rgb + 3 * i);
    }
  }
}

}  // namespace momap::completion
