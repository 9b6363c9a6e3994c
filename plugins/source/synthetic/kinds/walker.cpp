// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kinds.h"

// A figure in mid-stride: it walks the way its face and feet point. Nine rigid pieces.

namespace momap::synthetic {
namespace {

constexpr int kBody = 0;  // then upper and lower arm, thigh and shin, left before right

class Walker final : public Mover {
 public:
  Motion move(const World& world, const Choice& choice, const Clock& clock) const override {
    const double rate = (0.35 + 0.5 * choice.speed) * scale;  // m/s
    Motion motion;
    for (int64_t t = 0; t < clock.frames; ++t) {
      constexpr double kStart = 0.2;  // s of even acceleration
      const double s = clock.since(t, choice.delay);
      const double way = s < kStart ? rate * s * s / (2 * kStart) : rate * (s - kStart / 2);
      for (const Pose& pose : figure(way)) motion.poses.push_back(pose);
    }
    for (size_t i = 0; i < parts.size() && clock.frames > 0; ++i) {
      motion.poses[i] = world.parts[static_cast<size_t>(parts[i])].rest;
    }
    return motion;
  }

  /// All pieces after walking `way` metres.
  std::vector<Pose> figure(double way) const {
    const double s = scale, stride = 1.25 * s;  // metres of a double step
    const double phase = first_phase + 2 * kPi * way / stride;
    const double lift = 0.025 * s * std::abs(cosine(phase));
    const Pose hips = start * translation({way, 0, leg - 0.03 * s + lift});
    std::vector<Pose> out{hips};
    for (const double side : {1.0, -1.0}) {
      const double swing = 0.5 * sine(phase + (side > 0 ? kPi : 0));
      const Pose shoulder =
          hips * translation({0, side * 0.21 * s, 0.5 * s}) * rotation({0, 1, 0}, -swing);
      out.push_back(shoulder);
      out.push_back(shoulder * translation({0, 0, -0.29 * s}) *
                    rotation({0, 1, 0}, -0.25 - 0.2 * std::max(swing, 0.0)));
    }
    for (const double side : {1.0, -1.0}) {
      const double at = phase + (side > 0 ? 0 : kPi);
      const Pose hip =
          hips * translation({0, side * 0.1 * s, 0}) * rotation({0, 1, 0}, -0.48 * sine(at));
      out.push_back(hip);
      out.push_back(hip * translation({0, 0, -leg / 2}) *
                    rotation({0, 1, 0}, 0.1 + 0.75 * std::max(cosine(at), 0.0)));
    }
    return out;
  }

  Telling tell(int) const override {
    return {"walk", {"walks", "walks on", "goes", "strides"}, true, ""};
  }

  Pose start;  // x ahead, on the ground
  double scale = 1, leg = 0.85, first_phase = 0;
};

}  // namespace

std::unique_ptr<Mover> build_walker(World& world, const Site& site, Style& style) {
  auto walker = std::make_unique<Walker>();
  walker->kind = "walker";
  walker->noun = "person";
  const double s = site.scale * (0.92 + 0.12 * style.proportion());
  walker->scale = s;
  walker->leg = 0.84 * s;
  // Sideways, aslant or to the viewer.
  static constexpr std::array<double, 6> kHeadings{0, kPi, -kPi / 2, -0.6, kPi + 0.6, 0.35};
  const double heading = kHeadings[static_cast<size_t>(style.random.below(kHeadings.size()))];
  walker->start = site.pose * rotation({0, 0, 1}, heading);
  walker->first_phase = style.between(0.6, 2.4) + (style.coin() ? kPi : 0);
  const Colour shirt_colour = style.colour();
  const int shirt = world.add(style.painted(shirt_colour, 0.35 * s));
  const int trousers = world.add(style.plain(style.colour().rgb * 0.45));
  static constexpr std::array<Vec3, 4> kSkin{
      {{0.62, 0.38, 0.26}, {0.42, 0.23, 0.14}, {0.72, 0.48, 0.36}, {0.25, 0.13, 0.08}}};
  const int skin = world.add(style.plain(kSkin[static_cast<size_t>(style.random.below(4))]));
  const int hair = world.add(style.plain(style.brown() * 0.5));
  const int shoe = world.add(style.plain({0.06, 0.05, 0.05}));
  const int design = style.design();
  walker->segment = world.add_segment("person");
  if (style.coin(0.7)) walker->noun = "person in " + shirt_colour.name;

  Mesh body;
  body.add(cylinder(0.13 * s, 0.185 * s, 0.42 * s, shirt, 16), translation({0, 0, 0.1 * s}));
  body.add(cylinder(0.185 * s, 0.07 * s, 0.07 * s, shirt, 16), translation({0, 0, 0.52 * s}));
  body.add(cylinder(0.14 * s, 0.13 * s, 0.14 * s, trousers, 16), translation({0, 0, -0.04 * s}));
  body.add(cylinder(0.05 * s, 0.05 * s, 0.1 * s, skin, 10), translation({0, 0, 0.57 * s}));
  body.add(sphere(0.112 * s, skin, 10, 1.15), translation({0.01 * s, 0, 0.75 * s}));
  body.add(sphere(0.118 * s, hair, 10, 1.05), translation({-0.025 * s, 0, 0.785 * s}));
  body.add(box({0.05 * s, 0.03 * s, 0.03 * s}, skin), translation({0.125 * s, 0, 0.74 * s}));
  if (design % 2 == 0) {
    body.add(box({0.14 * s, 0.26 * s, 0.34 * s}, world.add(style.painted(style.colour(), 0.2 * s))),
             translation({-0.2 * s, 0, 0.35 * s}));
  }
  if (design >= 2) {
    body.add(cylinder(0.125 * s, 0.1 * s, 0.08 * s, world.add(style.plain(style.colour().rgb)), 14),
             translation({-0.005 * s, 0, 0.82 * s}));
    if (design == 3) {
      body.add(cylinder(0.2 * s, 0.2 * s, 0.012 * s, hair, 18), translation({0, 0, 0.815 * s}));
    }
  }
  Mesh upper_arm = cylinder(0.04 * s, 0.055 * s, 0.3 * s, shirt, 10);
  Mesh lower_arm = cylinder(0.03 * s, 0.036 * s, 0.25 * s, design == 1 ? shirt : skin, 10);
  Mesh thigh = cylinder(0.065 * s, 0.085 * s, walker->leg / 2, trousers, 12);
  Mesh shin = cylinder(0.05 * s, 0.065 * s, walker->leg / 2 - 0.04 * s, trousers, 12);
  Mesh arm_1, arm_2, leg_1, leg_2;
  arm_1.add(upper_arm, translation({0, 0, -0.3 * s})).add(sphere(0.056 * s, shirt, 7));
  arm_2.add(lower_arm, translation({0, 0, -0.25 * s}))
      .add(sphere(0.042 * s, skin, 7), translation({0, 0, -0.28 * s}));
  leg_1.add(thigh, translation({0, 0, -walker->leg / 2}));
  leg_2.add(shin, translation({0, 0, -walker->leg / 2 + 0.04 * s}))
      .add(sphere(0.066 * s, trousers, 7));
  leg_2.add(box({0.24 * s, 0.09 * s, 0.075 * s}, shoe),
            translation({0.06 * s, 0, -walker->leg / 2 + 0.035 * s}));
  const std::vector<Pose> places = walker->figure(0);
  for (size_t i = 0; i < places.size(); ++i) {
    Mesh piece =
        i == kBody ? body : (i < 5 ? (i % 2 == 1 ? arm_1 : arm_2) : (i % 2 == 1 ? leg_1 : leg_2));
    walker->parts.push_back(world.add(std::move(piece), walker->segment, places[i], true));
  }
  walker->may_rest = false;
  return walker;
}

}  // namespace momap::synthetic
