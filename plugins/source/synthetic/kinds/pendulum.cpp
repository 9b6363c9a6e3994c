// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kinds.h"

// A bob on a rod, or a swing. One that hangs to a side swings through the middle; one that hangs
// straight may be pushed either way.

namespace momap::synthetic {
namespace {

class Pendulum final : public Mover {
 public:
  Motion move(const World& world, const Choice& choice, const Clock& clock) const override {
    const Joint& joint = joints.at(0);
    const Vec3 origin{joint.origin[0], joint.origin[1], joint.origin[2]};
    const Vec3 axis{joint.axis[0], joint.axis[1], joint.axis[2]};
    const double push = (rest_ != 0 ? 0.4 : 0.5) + 0.75 * choice.speed;  // of the swing, rad * rate
    const double way = rest_ != 0 ? (rest_ > 0 ? -1 : 1) : (choice.option == 0 ? 1 : -1);
    Motion motion;
    for (int64_t t = 0; t < clock.frames; ++t) {
      const double s = clock.since(t, choice.delay);
      // Small oscillations, slightly damped.
      const double swing = rest_ * cosine(rate_ * s) + way * 0.28 * push * sine(rate_ * s);
      const double angle = swing * (1 - 0.04 * std::min(s, 5.0)) - rest_;
      const Pose step = rotation_about(origin, axis, angle);
      for (const int part : parts) {
        motion.poses.push_back(step * world.parts[static_cast<size_t>(part)].rest);
      }
    }
    return motion;
  }

  Telling tell(int) const override {
    return {"swing", {"swings", "is swinging", "starts to swing"}, true, ""};
  }

  double rest_ = 0;  // angle in frame 0
  double rate_ = 3;  // rad/s
};

}  // namespace

std::unique_ptr<Mover> build_pendulum(World& world, const Site& site, Style& style) {
  auto out = std::make_unique<Pendulum>();
  out->kind = "pendulum";
  const int design = style.design();
  const bool swing = design == 1 || design == 4;
  out->noun = swing ? "swing" : "pendulum";
  const double s = site.scale;
  const double high = (1.05 + 0.35 * style.proportion()) * s, width = (swing ? 0.95 : 0.75) * s;
  const double rod = high * (swing ? 0.72 : 0.68);
  const Colour colour = style.colour();
  out->colour = colour.name;
  const int frame_material =
      world.add(style.coin() ? style.wood(0.5 * s) : style.plain(style.quiet()));
  const int bob = world.add(style.painted(colour, 0.2 * s));
  const int metal = world.add(style.plain({0.3, 0.3, 0.31}));

  const int stand = world.add_segment("stand");
  Mesh posts;
  for (const double x : {-1.0, 1.0}) {
    posts.add(box({0.05 * s, 0.05 * s, high}, frame_material),
              translation({x * width / 2, 0, high / 2}));
    posts.add(box({0.06 * s, 0.45 * s, 0.04 * s}, frame_material),
              translation({x * width / 2, 0, 0.02 * s}));
  }
  posts.add(box({width + 0.1 * s, 0.06 * s, 0.05 * s}, frame_material), translation({0, 0, high}));
  world.add(std::move(posts), stand, site.pose);

  // Hanging part: its origin is the pivot, it reaches to -z.
  Mesh hanging;
  if (swing) {
    for (const double x : {-0.25, 0.25}) {
      hanging.add(box({0.018 * s, 0.018 * s, rod}, metal), translation({x * s, 0, -rod / 2}));
    }
    hanging.add(box({0.6 * s, 0.24 * s, 0.035 * s}, bob), translation({0, 0, -rod}));
  } else {
    hanging.add(box({0.025 * s, 0.025 * s, rod}, metal), translation({0, 0, -rod / 2}));
    const double r = (0.10 + 0.05 * style.proportion()) * s;
    if (design == 0) {
      hanging.add(sphere(r, bob, 12), translation({0, 0, -rod}));
    } else if (design == 2) {
      hanging.add(cylinder(r * 1.2, r * 1.2, 0.06 * s, bob, 24),
                  translation({0, 0.03 * s, -rod}) * rotation({1, 0, 0}, kPi / 2));
    } else {
      hanging.add(box({1.7 * r, 1.2 * r, 1.7 * r}, bob), translation({0, 0, -rod}));
    }
  }
  // A pendulum swings to the sides (about y), a swing to the front and back (about x).
  const Vec3 local = swing ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
  const bool held = style.coin(0.6);
  const double lean = style.between(0.3, 0.55);
  out->rest_ = held ? (style.coin() ? lean : -lean) : 0;
  out->rate_ = std::sqrt(9.81 / rod);
  out->options = held ? 1 : 2;
  out->may_rest = !held;
  out->segment = world.add_segment(out->noun);
  const Pose pivot = site.pose * translation({0, 0, high - 0.03 * s});
  out->parts = {
      world.add(std::move(hanging), out->segment, pivot * rotation(local, out->rest_), true)};
  const Vec3 axis = site.pose.rotate(local);
  out->joints = {{Joint::Kind::hinge,
                  out->segment,
                  {pivot.t.x, pivot.t.y, pivot.t.z},
                  {axis.x, axis.y, axis.z}}};
  return out;
}

}  // namespace momap::synthetic
