// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "world.h"

// The only place that knows Bullet.

namespace momap::synthetic {

struct Body {
  bool ball = false;
  Vec3 size;  // of a box, metres; a ball's radius is size.x
  Pose start;
  double density = 400;  // kg/m^3
  double friction = 0.6, bounce = 0.1, rolling = 0.01;
  Vec3 velocity;  // m/s when it is let go
  Vec3 spin;      // rad/s
};

/// Lets bodies go in frame `first` and gives their poses, [T, bodies]; before it they keep their
/// start. `size` (m) is about that of the bodies: the engine works in its own unit of length.
std::vector<Pose> simulate(const std::vector<Obstacle>& obstacles, const std::vector<Body>& bodies,
                           double size, const Clock& clock, int64_t first);

}  // namespace momap::synthetic
