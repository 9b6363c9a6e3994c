// SPDX-License-Identifier: Apache-2.0
#include "accumulate.h"

#include <momap/base/clones.h>
#include <projection/branchless.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "taps.h"

namespace momap::warping {
namespace {

// The numbers of one pixel; the compiler keeps them in one register where there are wide ones.
using Eight = float __attribute__((vector_size(32)));
static_assert(sizeof(Eight) == sizeof(SplatSums));

constexpr int64_t kRun = 512;      // points that are placed at once
constexpr int32_t kNowhere = -1;   // no corner is in the image
constexpr int32_t kAtBorder = -2;  // not all four are
constexpr float kVisibleShare = 0.01F;

/// Where points fall: the upper left of their four pixels, or one of the numbers above, and the
/// place within.
struct Places {
  std::array<int32_t, kRun> pixel;
  std::array<float, kRun> right, down;
};

MOMAP_CLONES void place(const float* x, const float* y, int64_t count, int32_t height,
                        int32_t width, Places& out) {
  int32_t* const pixel = out.pixel.data();
  float* const right = out.right.data();
  float* const down = out.down.data();
  const auto far_x = static_cast<float>(width), far_y = static_cast<float>(height);
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const int32_t near =
        (x[i] > -1) & (y[i] > -1) & (x[i] < far_x) & (y[i] < far_y);  // not for NaN
    const float u = choose(near, x[i], 0.0F), v = choose(near, y[i], 0.0F);
    const int32_t column = static_cast<int32_t>(u + 1) - 1, row = static_cast<int32_t>(v + 1) - 1;
    const int32_t inside = (column >= 0) & (row >= 0) & (column < width - 1) & (row < height - 1);
    right[i] = u - static_cast<float>(column);
    down[i] = v - static_cast<float>(row);
    const int32_t at = row * width + column;
    pixel[i] = choose(near, choose(inside, at, kAtBorder), kNowhere);
  }
}

MOMAP_INLINE void add_to(SplatSums& pixel, const Eight& more) {
  Eight sum;
  std::memcpy(&sum, &pixel, sizeof sum);
  sum += more;
  std::memcpy(&pixel, &sum, sizeof sum);
}

MOMAP_INLINE void carry(const PointRun& points, int64_t i, Eight& out) {
  const float m = points.weight[i];
  const float* c = points.colour + 4 * i;
  const float z = points.depth ? points.depth[i] : 0.0F;
  out = Eight{c[0], c[1], c[2], c[3], z, 0, 0, 0} * m;
  out[5] = 1;
}

void add_at_border(SplatSums* sums, int64_t height, int64_t width, const PointRun& points,
                   int64_t i) {
  Taps taps;
  if (!taps.find(points.x[i], points.y[i], height, width)) return;
  Eight point;
  carry(points, i, point);
  for (int corner = 0; corner < 4; ++corner) {
    if (!taps.has(corner, height, width)) continue;
    const Eight part = point * taps.share(corner);
    add_to(sums[taps.at(corner, width)], part);
  }
}

MOMAP_CLONES void add_placed(SplatSums* sums, int32_t height, int32_t width, const PointRun& points,
                             const Places& places) {
  // Sums for the pixels around the last point that are not in memory yet.
  Eight upper_left{}, upper_right{}, lower_left{}, lower_right{};
  int32_t at = kNowhere;
  for (int64_t i = 0; i < points.count; ++i) {
    const int32_t pixel = places.pixel[i];
    if (pixel != at) {
      if (at >= 0) {
        add_to(sums[at], upper_left);
        add_to(sums[at + width], lower_left);
        if (pixel == at + 1) {
          upper_left = upper_right;
          lower_left = lower_right;
        } else {
          add_to(sums[at + 1], upper_right);
          add_to(sums[at + width + 1], lower_right);
          upper_left = lower_left = Eight{};
        }
        upper_right = lower_right = Eight{};
      }
      at = pixel;
    }
    if (pixel < 0) {
      if (pixel == kAtBorder) add_at_border(sums, height, width, points, i);
      at = kNowhere;
      continue;
    }
    Eight point;
    carry(points, i, point);
    const float right = places.right[i], down = places.down[i];
    const Eight lower = point * down, upper = point * (1 - down);
    upper_right += upper * right;
    upper_left += upper * (1 - right);
    lower_right += lower * right;
    lower_left += lower * (1 - right);
  }
  if (at < 0) return;
  add_to(sums[at], upper_left);
  add_to(sums[at + 1], upper_right);
  add_to(sums[at + width], lower_left);
  add_to(sums[at + width + 1], lower_right);
}

template <bool kPlain>
MOMAP_INLINE void show_pixels(const SplatSums* sums, int64_t pixels, float least_share,
                              uint8_t* rgb, bool* covered, float* depth) {
  for (int64_t q = 0; q < pixels; ++q) {
    const SplatSums& s = sums[q];
    const bool shown = (s.share >= least_share) & (s.weight > 0);
    const float per_weight = shown ? 1 / s.weight : 0.0F;
    const float scale = kPlain ? (shown ? 1.0F : 0.0F) : per_weight;
    const float half = shown ? 0.5F : 0.0F;
    covered[q] = shown;
    depth[q] = s.depth * per_weight;
    const float levels[3] = {s.red * scale, s.green * scale, s.blue * scale};
    for (int c = 0; c < 3; ++c) {
      const float positive = levels[c] > 0 ? levels[c] : 0.0F;
      const float level = positive < 255 ? positive : 255.0F;
      rgb[3 * q + c] = static_cast<uint8_t>(static_cast<int32_t>(level + half));
    }
  }
}

MOMAP_CLONES void show_means(const SplatSums* sums, int64_t pixels, float least_share, uint8_t* rgb,
                             bool* covered, float* depth) {
  show_pixels<false>(sums, pixels, least_share, rgb, covered, depth);
}

MOMAP_CLONES void show_sums(const SplatSums* sums, int64_t pixels, float least_share, uint8_t* rgb,
                            bool* covered, float* depth) {
  show_pixels<true>(sums, pixels, least_share, rgb, covered, depth);
}

/// 1 for each point that makes enough of the pixel that has the largest part of it. Returns how
/// many.
MOMAP_CLONES int32_t plainly_seen(const float* weights, int64_t count, const Places& places,
                                  const float* sums, float least_share, int32_t width,
                                  int32_t* seen) {
  constexpr int32_t kFloats = sizeof(SplatSums) / sizeof(float);
  constexpr int32_t kWeight = offsetof(SplatSums, weight) / sizeof(float);
  constexpr int32_t kShare = offsetof(SplatSums, share) / sizeof(float);
  const int32_t* const pixels = places.pixel.data();
  const float* const rights = places.right.data();
  const float* const downs = places.down.data();
  int32_t total = 0;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float right = rights[i], down = downs[i];
    const int32_t inside = pixels[i] >= 0, beside = right >= 0.5F, below = down >= 0.5F;
    const float b = larger(right, 1 - right) * larger(down, 1 - down);
    const int32_t pixel = choose(inside, pixels[i] + beside + choose(below, width, 0), 0);
    const float weight = sums[kFloats * pixel + kWeight], share = sums[kFloats * pixel + kShare];
    const int32_t shown = (share >= least_share) & (weight > 0);
    const int32_t enough = b * weights[i] >= kVisibleShare * weight;
    seen[i] = inside & shown & enough;
    total += seen[i];
  }
  return total;
}

}  // namespace

Accumulator::Accumulator(SplatSums* sums, int64_t height, int64_t width)
    : sums_(sums), height_(static_cast<int32_t>(height)), width_(static_cast<int32_t>(width)) {
  std::memset(static_cast<void*>(sums), 0, static_cast<size_t>(height * width) * sizeof *sums);
}

void Accumulator::add(const PointRun& points) {
  Places places;
  for (int64_t begin = 0; begin < points.count; begin += kRun) {
    const PointRun run{std::min(kRun, points.count - begin),
                       points.x + begin,
                       points.y + begin,
                       points.weight + begin,
                       points.colour + 4 * begin,
                       points.depth ? points.depth + begin : nullptr};
    place(run.x, run.y, run.count, height_, width_, places);
    add_placed(sums_, height_, width_, run, places);
  }
}

void show(const SplatSums* sums, int64_t pixels, bool plain, float least_share, uint8_t* rgb,
          bool* covered, float* depth) {
  (plain ? show_sums : show_means)(sums, pixels, least_share, rgb, covered, depth);
}

Unseen count_unseen(const PointRun& points, const SplatSums* sums, float least_share,
                    int64_t height, int64_t width) {
  Unseen out;
  Places places;
  std::array<int32_t, kRun> seen;
  for (int64_t begin = 0; begin < points.count; begin += kRun) {
    const PointRun run{std::min(kRun, points.count - begin),
                       points.x + begin,
                       points.y + begin,
                       points.weight + begin,
                       points.colour + 4 * begin,
                       nullptr};
    place(run.x, run.y, run.count, static_cast<int32_t>(height), static_cast<int32_t>(width),
          places);
    const int32_t all = plainly_seen(run.weight, run.count, places, &sums->red, least_share,
                                     static_cast<int32_t>(width), seen.data());
    if (all == run.count) continue;
    Taps taps;
    for (int64_t i = 0; i < run.count; ++i) {
      // Points that cannot be drawn have no place at all and are counted elsewhere.
      if (seen[i] || !(run.x[i] == run.x[i])) continue;
      bool shown = false, reached = false;
      if (taps.find(run.x[i], run.y[i], height, width)) {
        for (int corner = 0; corner < 4 && !shown; ++corner) {
          if (!taps.has(corner, height, width)) continue;
          const float b = taps.share(corner);
          const int64_t q = taps.at(corner, width);
          const SplatSums& s = sums[q];
          reached = reached || b > 0;
          shown = b > 0 && s.share >= least_share && s.weight > 0 &&
                  b * run.weight[i] >= kVisibleShare * s.weight;
        }
      }
      if (!shown) ++(reached ? out.hidden : out.outside);
    }
  }
  return out;
}

}  // namespace momap::warping
