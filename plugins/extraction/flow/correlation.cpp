// SPDX-License-Identifier: Apache-2.0
#include "correlation.h"

#include <momap/base/clones.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

namespace momap {
namespace {

constexpr int64_t kRows = 48;  // pixels of the first map worked on together

MOMAP_CLONES void store(const float* in, int64_t count, float scale,
                        CorrelationVolume::Stored* out) {
  for (int64_t i = 0; i < count; ++i)
    out[i] = static_cast<CorrelationVolume::Stored>(in[i] * scale);
}

// Means over 2x2, a row or column that is left over is dropped; in place is fine.
void halve(const float* in, int64_t width, float* out, int64_t out_height, int64_t out_width) {
  for (int64_t y = 0; y < out_height; ++y) {
    const float* above = in + 2 * y * width;
    const float* below = above + width;
    for (int64_t x = 0; x < out_width; ++x) {
      out[y * out_width + x] =
          (above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1]) / 4;
    }
  }
}

// The 7x7 samples around (x, y) of one pixel's correlations on one level.
MOMAP_CLONES void sample(const CorrelationVolume::Stored* level, int64_t height, int64_t width,
                         float x, float y, float* out) {
  constexpr int kSide = CorrelationVolume::kSide, kWindow = kSide + 1;
  const float left = std::floor(x), top = std::floor(y);
  const float u = x - left, v = y - top;
  float window[kWindow][kWindow] = {};
  const auto within = [](float at, int64_t size) {
    return at > -kWindow && at < static_cast<float>(size) + kWindow;
  };
  if (within(left, width) && within(top, height)) {
    const int64_t x0 = static_cast<int64_t>(left) - CorrelationVolume::kRadius;
    const int64_t y0 = static_cast<int64_t>(top) - CorrelationVolume::kRadius;
    for (int64_t j = std::max<int64_t>(0, -y0); j < std::min<int64_t>(kWindow, height - y0); ++j) {
      const CorrelationVolume::Stored* row = level + (y0 + j) * width;
      for (int64_t i = std::max<int64_t>(0, -x0); i < std::min<int64_t>(kWindow, width - x0); ++i) {
        window[i][j] = static_cast<float>(row[x0 + i]);
      }
    }
  }
  float across[kSide][kWindow];
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kWindow; ++j) {
      across[i][j] = (1 - u) * window[i][j] + u * window[i + 1][j];
    }
  }
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) {
      out[i * kSide + j] = (1 - v) * across[i][j] + v * across[i][j + 1];
    }
  }
}

}  // namespace

CorrelationVolume::CorrelationVolume(const FeatureMap& from, const FeatureMap& to) {
  const int64_t pixels = from.pixels();
  for (int l = 0; l < kLevels; ++l) {
    Level& level = levels_[static_cast<size_t>(l)];
    level.height = to.height >> l;
    level.width = to.width >> l;
    level.data.resize(static_cast<size_t>(pixels * level.height * level.width));
  }
  const PackedMatrix right(to.data.data(), to.channels, to.pixels(), 1, to.stride);
  const float scale = 1 / std::sqrt(static_cast<float>(from.channels));
  tbb::parallel_for(int64_t{0}, (pixels + kRows - 1) / kRows, [&](int64_t group) {
    const int64_t first = group * kRows, count = std::min(kRows, pixels - first);
    std::vector<float> row(static_cast<size_t>(count * right.columns()));
    right.product(from.at(first), from.stride, count, row.data(), right.columns());
    for (int64_t i = 0; i < count; ++i) {
      float* here = row.data() + i * right.columns();
      int64_t width = to.width;
      for (size_t l = 0; l < kLevels; ++l) {
        Level& level = levels_[l];
        if (l > 0) halve(here, width, here, level.height, level.width);
        const int64_t size = level.height * level.width;
        store(here, size, scale, level.data.data() + (first + i) * size);
        width = level.width;
      }
    }
  });
}

void CorrelationVolume::look_up(const std::vector<std::array<float, 2>>& coords,
                                FeatureMap& out) const {
  tbb::parallel_for(int64_t{0}, out.height, [&](int64_t row) {
    for (int64_t pixel = row * out.width; pixel < (row + 1) * out.width; ++pixel) {
      float scale = 1;
      for (size_t l = 0; l < kLevels; ++l, scale /= 2) {
        const Level& level = levels_[l];
        const auto [x, y] = coords[static_cast<size_t>(pixel)];
        sample(level.data.data() + pixel * level.height * level.width, level.height, level.width,
               x * scale, y * scale, out.at(pixel) + static_cast<int64_t>(l) * kSide * kSide);
      }
    }
  });
}

}  // namespace momap
