// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>
#include <momap/base/random.h>
#include <momap/data/condition.h>
#include <momap/data/geometry.h>
#include <momap/data/momap.h>

#include <array>

#include "scenes.h"

namespace momap::testing {

/// A slanted surface, moved by `path(t, y, x)` metres.
template <class Path>
MoMap moved(int64_t frames, int64_t height, int64_t width, Path path) {
  const Camera camera = simple_camera(width, height);
  at::Tensor depth = at::empty({height, width}, at::kFloat);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      depth[y][x] = 2.0 + 0.01 * static_cast<double>(x) + 0.02 * static_cast<double>(y);
    }
  }
  const at::Tensor points = unproject(depth, camera);
  at::Tensor xyz = points.unsqueeze(0).repeat({frames, 1, 1, 1});
  auto a = xyz.accessor<float, 4>();
  for (int64_t t = 1; t < frames; ++t) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const std::array<double, 3> d = path(t, y, x);
        for (int axis = 0; axis < 3; ++axis) a[t][y][x][axis] += static_cast<float>(d[axis]);
      }
    }
  }
  return {xyz, at::ones({frames, height, width}, at::kBool), at::ones({height, width}, at::kBool),
          camera};
}

inline Condition condition_of(const MoMap& map) {
  return {at::zeros({map.height(), map.width(), 3}, at::kByte), map.xyz[0].clone(), map.camera,
          std::nullopt, ""};
}

/// Every point goes its own way.
inline MoMap random_map(int64_t frames, int64_t height, int64_t width) {
  Random random(3);
  return moved(frames, height, width, [&](int64_t, int64_t, int64_t) {
    return std::array{0.1 * random.normal(), 0.1 * random.normal(), 0.1 * random.normal()};
  });
}

inline double worst_relative_error(const at::Tensor& result, const at::Tensor& truth) {
  return ((result - truth).abs() / truth.norm(2, -1, true)).max().item<double>();
}

}  // namespace momap::testing
