// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/momap.h>

#include <cstdint>

// Small analytic worlds with exact answers, for tests.

namespace momap::testing {

struct SceneOptions {
  int64_t frames = 8;
  int64_t height = 96;
  int64_t width = 128;
  double square_speed_x = 0.02;  ///< m a frame, along x
  double square_speed_z = 0.0;   ///< m a frame, away from the camera
  double camera_speed_x = 0.0;   ///< m a frame; the camera's own motion, along world x
  uint64_t texture_seed = 7;
};

/// A textured wall at 4 m and a textured square (0.8 m wide) at 2 m that moves in front of it, with
/// exact depth, camera, poses, segments (1 = square) and truth[0]. Sub-pixel motion is rendered
/// exactly (texture is a smooth function of surface coordinates).
Clip moving_square(const SceneOptions& options = {});

/// A camera of `width` x `height` with a horizontal field of view of 60 degrees.
Camera simple_camera(int64_t width, int64_t height);

}  // namespace momap::testing
