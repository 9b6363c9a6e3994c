// SPDX-License-Identifier: Apache-2.0
#include "hinged.h"

#include <algorithm>

namespace momap::synthetic {

Motion Articulated::move(const World& world, const Choice& choice, const Clock& clock) const {
  const Stroke& stroke = strokes.at(static_cast<size_t>(choice.option));
  const double rate = stroke.slow + (stroke.fast - stroke.slow) * choice.speed / 3;
  const double end = stroke.sign > 0 ? stroke.highest : -stroke.lowest;
  const Joint& joint = joints.at(0);
  const Vec3 origin{joint.origin[0], joint.origin[1], joint.origin[2]};
  const Vec3 axis{joint.axis[0], joint.axis[1], joint.axis[2]};
  Motion motion;
  for (int64_t t = 0; t < clock.frames; ++t) {
    constexpr double kStart = 0.2;  // s of even acceleration
    const double s = clock.since(t, choice.delay);
    const double free = s < kStart ? rate * s * s / (2 * kStart) : rate * (s - kStart / 2);
    // Parabolic arrival: eases into the end over the last fifth of the way.
    const double bend = 0.8 * end;
    double q = free;
    if (q > bend) {
      const double over = std::min((q - bend) / (2 * (end - bend)), 1.0);
      q = bend + (end - bend) * (2 * over - over * over);
    }
    q *= stroke.sign;
    const Pose step =
        joint.kind == Joint::Kind::hinge ? rotation_about(origin, axis, q) : translation(axis * q);
    for (const int part : parts) {
      motion.poses.push_back(step * world.parts[static_cast<size_t>(part)].rest);
    }
  }
  return motion;
}

}  // namespace momap::synthetic
