// SPDX-License-Identifier: Apache-2.0
#include "convolution.h"

#include <ATen/ops/empty.h>
#include <momap/base/clones.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>

namespace momap {
namespace {

constexpr int kIn = 6, kOut = 4, kPlaces = kIn * kIn;
constexpr int64_t kTiles = 24;  // worked on together: their 36 matrices fit the second cache

constexpr double kG[kIn][3] = {{1.0 / 4, 0, 0},
                               {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                               {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                               {1.0 / 24, 1.0 / 12, 1.0 / 6},
                               {1.0 / 24, -1.0 / 12, 1.0 / 6},
                               {0, 0, 1}};

// B^T applied to six values `step` apart.
[[gnu::always_inline]] inline void transform_in(const Lanes* d, int step, Lanes* out,
                                                int out_step) {
  const Lanes &d0 = d[0], &d1 = d[step], &d2 = d[2 * step], &d3 = d[3 * step], &d4 = d[4 * step],
              &d5 = d[5 * step];
  out[0] = 4 * d0 - 5 * d2 + d4;
  out[out_step] = d4 + d3 - 4 * (d1 + d2);
  out[2 * out_step] = d4 - d3 + 4 * (d1 - d2);
  out[3 * out_step] = d4 - d2 + 2 * (d3 - d1);
  out[4 * out_step] = d4 - d2 - 2 * (d3 - d1);
  out[5 * out_step] = 4 * d1 - 5 * d3 + d5;
}

// A^T applied to six values `step` apart.
[[gnu::always_inline]] inline void transform_out(const Lanes* m, int step, Lanes* out,
                                                 int out_step) {
  const Lanes a = m[step] + m[2 * step], b = m[step] - m[2 * step];
  const Lanes c = m[3 * step] + m[4 * step], d = m[3 * step] - m[4 * step];
  out[0] = m[0] + a + c;
  out[out_step] = b + 2 * d;
  out[2 * out_step] = a + 4 * c;
  out[3 * out_step] = b + 8 * d + m[5 * step];
}

// pixels: the 36 of a tile; out: [36] matrices `place_stride` apart.
MOMAP_CLONES void tile_in(const float* const* pixels, int64_t channels, float* out,
                          int64_t place_stride) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    Lanes d[kPlaces], half[kPlaces], whole[kPlaces];
    for (int i = 0; i < kPlaces; ++i) d[i] = *reinterpret_cast<const Lanes*>(pixels[i] + c);
    for (int x = 0; x < kIn; ++x) transform_in(d + x, kIn, half + x, kIn);
    for (int y = 0; y < kIn; ++y) transform_in(half + kIn * y, 1, whole + kIn * y, 1);
    for (int i = 0; i < kPlaces; ++i) {
      *reinterpret_cast<Lanes*>(out + i * place_stride + c) = whole[i];
    }
  }
}

// in: [36] matrices `place_stride` apart; pixels: the 16 of a tile, null where outside the map.
MOMAP_CLONES void tile_out(const float* in, int64_t place_stride, int64_t channels,
                           float* const* pixels) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    Lanes m[kPlaces], half[kOut * kIn], whole[kOut * kOut];
    for (int i = 0; i < kPlaces; ++i) {
      m[i] = *reinterpret_cast<const Lanes*>(in + i * place_stride + c);
    }
    for (int x = 0; x < kIn; ++x) transform_out(m + x, kIn, half + x, kIn);
    for (int y = 0; y < kOut; ++y) transform_out(half + kIn * y, 1, whole + kOut * y, 1);
    for (int i = 0; i < kOut * kOut; ++i) {
      if (pixels[i]) *reinterpret_cast<Lanes*>(pixels[i] + c) = whole[i];
    }
  }
}

struct Scratch {
  std::vector<float> in, out, zero;
};

}  // namespace

Convolution3x3::Convolution3x3(const at::Tensor& weight) {
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  const at::Tensor dense = weight.contiguous();
  const float* w = dense.data_ptr<float>();
  std::vector<float> place(static_cast<size_t>(outputs * inputs));
  for (int y = 0; y < kIn; ++y) {
    for (int x = 0; x < kIn; ++x) {
      for (int64_t i = 0; i < outputs * inputs; ++i) {
        double sum = 0;
        for (int v = 0; v < 3; ++v) {
          for (int u = 0; u < 3; ++u) sum += kG[y][v] * kG[x][u] * w[9 * i + 3 * v + u];
        }
        place[static_cast<size_t>(i)] = static_cast<float>(sum);
      }
      matrices_[static_cast<size_t>(y) * kIn + static_cast<size_t>(x)] =
          PackedMatrix(place.data(), inputs, outputs, 1, inputs);
    }
  }
}

void Convolution3x3::operator()(const FeatureMap& in, FeatureMap& out) const {
  const int64_t across = (in.width + kOut - 1) / kOut;
  const int64_t tiles = across * ((in.height + kOut - 1) / kOut);
  const int64_t columns = matrices_[0].columns();
  const int64_t in_place = kTiles * in.stride, out_place = kTiles * columns;
  static tbb::enumerable_thread_specific<Scratch> scratch_of_thread;
  tbb::parallel_for(int64_t{0}, (tiles + kTiles - 1) / kTiles, [&](int64_t group) {
    Scratch& scratch = scratch_of_thread.local();
    if (static_cast<int64_t>(scratch.in.size()) < kPlaces * in_place) {
      scratch.in.resize(static_cast<size_t>(kPlaces * in_place));
    }
    if (static_cast<int64_t>(scratch.out.size()) < kPlaces * out_place) {
      scratch.out.resize(static_cast<size_t>(kPlaces * out_place));
    }
    if (static_cast<int64_t>(scratch.zero.size()) < in.stride) {
      scratch.zero.resize(static_cast<size_t>(in.stride), 0.F);
    }
    const int64_t first = group * kTiles, count = std::min(kTiles, tiles - first);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t top = (first + i) / across * kOut - 1, left = (first + i) % across * kOut - 1;
      const float* pixels[kPlaces];
      for (int p = 0; p < kPlaces; ++p) {
        const int64_t y = top + p / kIn, x = left + p % kIn;
        const bool inside = y >= 0 && x >= 0 && y < in.height && x < in.width;
        pixels[p] = inside ? in.at(y * in.width + x) : scratch.zero.data();
      }
      tile_in(pixels, in.stride, scratch.in.data() + i * in.stride, in_place);
    }
    for (int p = 0; p < kPlaces; ++p) {
      matrices_[static_cast<size_t>(p)].product(scratch.in.data() + p * in_place, in.stride, count,
                                                scratch.out.data() + p * out_place, columns);
    }
    for (int64_t i = 0; i < count; ++i) {
      const int64_t top = (first + i) / across * kOut, left = (first + i) % across * kOut;
      float* pixels[kOut * kOut];
      for (int p = 0; p < kOut * kOut; ++p) {
        const int64_t y = top + p / kOut, x = left + p % kOut;
        pixels[p] = y < out.height && x < out.width ? out.at(y * out.width + x) : nullptr;
      }
      tile_out(scratch.out.data() + i * columns, out_place, columns, pixels);
    }
  });
}

}  // namespace momap
