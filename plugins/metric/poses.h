// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>

#include <array>

namespace momap::metric {

/// Takes points from the reference camera's frame into the camera's frame at each time; the
/// identity where the clip does not say how its camera moves.
class CameraFrames {
 public:
  explicit CameraFrames(const Clip* clip) {
    if (clip && clip->cam_from_world) poses_ = clip->cam_from_world->contiguous();
  }

  bool known() const { return poses_.defined(); }

  /// `point` (reference camera frame, metres) as the camera of frame t sees it.
  std::array<double, 3> operator()(int64_t t, const float* point) const {
    std::array<double, 3> p{point[0], point[1], point[2]};
    if (!known()) return p;
    const auto* first = poses_.data_ptr<double>();
    const auto* now = first + 16 * t;
    std::array<double, 3> world{}, out{};
    for (int r = 0; r < 3; ++r) {  // world = R0^T (p - t0): the pose is rigid
      for (int c = 0; c < 3; ++c) world[r] += first[4 * c + r] * (p[c] - first[4 * c + 3]);
    }
    for (int r = 0; r < 3; ++r) {
      out[r] = now[4 * r + 3];
      for (int c = 0; c < 3; ++c) out[r] += now[4 * r + c] * world[c];
    }
    return out;
  }

 private:
  at::Tensor poses_;  // f64 [T, 4, 4], cam_from_world
};

}  // namespace momap::metric
