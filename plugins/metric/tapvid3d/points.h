// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/stage/inputs.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace momap::tapvid3d {

using Point = std::array<double, 3>;  // metres, in the camera's frame at that time

/// One point at one time, true and predicted.
struct Observation {
  Point truth{}, predicted{};
  bool known = false;  // the true position is known; others are left out
  bool visible = false, predicted_visible = false;
  bool has_prediction = false;
};

/// N points of the reference frame over T frames: true, and as the result predicts them.
struct Points {
  int64_t frames = 0;
  std::vector<Observation> observations;  // [N][T]
  double focal = 0;                       // sqrt(fx fy), px
  std::string none_because;               // why there is no point, when there is none

  int64_t count() const {
    return frames > 0 ? static_cast<int64_t>(observations.size()) / frames : 0;
  }
  const Observation& at(int64_t n, int64_t t) const { return observations[n * frames + t]; }
};

/// From the ports: the tracks of a clip that are asked for in frame 0, else its true motion (or a
/// motion map), a point a valid pixel. The result is read bilinearly at the queries.
Points read_points(const Inputs& inputs);

}  // namespace momap::tapvid3d
