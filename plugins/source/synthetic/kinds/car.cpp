// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kinds.h"

// A car in its lane: it drives the way its headlights show and follows the bend of the road. The
// site's x axis points ahead.

namespace momap::synthetic {
namespace {

class Car final : public Mover {
 public:
  Motion move(const World& world, const Choice& choice, const Clock& clock) const override {
    const double rate = 1.0 + 2.2 * choice.speed;  // m/s
    Motion motion;
    for (int64_t t = 0; t < clock.frames; ++t) {
      constexpr double kStart = 0.25;  // s of even acceleration
      const double s = clock.since(t, choice.delay);
      const double way = s < kStart ? rate * s * s / (2 * kStart) : rate * (s - kStart / 2);
      // An arc of the road's curvature, in the car's own frame.
      const double turned = bend * way;
      const bool straight = std::abs(turned) < 1e-9;
      const Vec3 at{straight ? way : sine(turned) / bend,
                    straight ? 0 : (1 - cosine(turned)) / bend, 0};
      const Pose go = translation(at) * rotation({0, 0, 1}, turned);
      for (size_t i = 0; i < parts.size(); ++i) {
        Pose local = start.inverse() * world.parts[static_cast<size_t>(parts[i])].rest;
        if (i > 0) local = local * rotation({0, 1, 0}, way / wheel_radius);
        motion.poses.push_back(start * go * local);
      }
    }
    if (clock.frames > 0) {
      for (size_t i = 0; i < parts.size(); ++i) {
        motion.poses[i] = world.parts[static_cast<size_t>(parts[i])].rest;
      }
    }
    return motion;
  }

  Telling tell(int) const override {
    return {"drive", {"drives", "drives off", "moves", "rolls along the road"}, true, ""};
  }

  Pose start;
  double bend = 0;  // 1/m
  double wheel_radius = 0.3;
};

}  // namespace

std::unique_ptr<Mover> build_car(World& world, const Site& site, Style& style) {
  auto car = std::make_unique<Car>();
  car->kind = "car";
  const int design = style.design();
  car->noun = design == 2 ? "van" : (design == 3 ? "truck" : "car");
  const double s = site.scale;
  car->start = site.pose;
  car->bend = site.bend;
  const Colour colour = style.colour();
  car->colour = colour.name;
  const int paint = world.add(style.plain(colour.rgb)),
            dark = world.add(style.plain({0.05, 0.07, 0.09}));
  const int tyre = world.add(style.plain({0.03, 0.03, 0.03}));
  const int rim = world.add(style.plain({0.55, 0.56, 0.58}));
  const int front = world.add(style.plain({0.95, 0.93, 0.75})),
            rear = world.add(style.plain({0.6, 0.02, 0.02}));
  const double l = (3.7 + 0.7 * style.proportion()) * s, w = 1.7 * s, clear = 0.28 * s;
  const double low = 0.62 * s, r = 0.33 * s;
  car->wheel_radius = r;
  const double h = l / 2;
  // Side views, counter-clockwise, x ahead.
  Mesh body = prism({{-h, clear},
                     {h, clear},
                     {h, clear + 0.42 * s},
                     {h * 0.62, clear + low},
                     {-h * 0.96, clear + low},
                     {-h, clear + 0.5 * s}},
                    w, paint);
  const double roof = clear + low + 0.56 * s;
  std::vector<std::array<double, 2>> cabin{
      {-h * 0.85, clear + low}, {h * 0.48, clear + low}, {h * 0.16, roof}, {-h * 0.58, roof}};
  if (design == 2) {
    cabin = {{-h * 0.96, clear + low},
             {h * 0.66, clear + low},
             {h * 0.42, roof + 0.35 * s},
             {-h * 0.95, roof + 0.35 * s}};
  } else if (design == 3) {
    cabin = {{h * 0.1, clear + low},
             {h * 0.72, clear + low},
             {h * 0.6, roof + 0.2 * s},
             {h * 0.1, roof + 0.2 * s}};
    body.add(box({h * 1.0, w, 1.15 * s}, world.add(style.painted(style.colour(), 1.5 * s))),
             translation({-h * 0.47, 0, clear + low + 0.58 * s}));
  } else if (design == 4) {
    cabin = {{-h * 0.95, clear + low}, {h * 0.5, clear + low}, {h * 0.2, roof}, {-h * 0.9, roof}};
  } else if (design == 1) {
    cabin = {{-h * 0.62, clear + low},
             {h * 0.35, clear + low},
             {h * 0.1, roof - 0.08 * s},
             {-h * 0.42, roof - 0.08 * s}};
  }
  body.add(prism(cabin, w * 0.86, paint));
  // Windows: the cabin's outline a little smaller and wider.
  Vec3 middle;
  for (const auto& [x, z] : cabin) middle = middle + Vec3{x, 0, z} * 0.25;
  std::vector<std::array<double, 2>> glass;
  for (const auto& [x, z] : cabin) {
    glass.push_back({middle.x + (x - middle.x) * 0.84, middle.z + (z - middle.z) * 0.72});
  }
  body.add(prism(glass, w * 0.86 + 0.02 * s, dark));
  const Vec3 base = Vec3{cabin[1][0], 0, cabin[1][1]}, top{cabin[2][0], 0, cabin[2][1]};
  const Vec3 pane = top - base, out = normalized({pane.z, 0, -pane.x});
  const double half = 0.38 * w;
  body.add(rectangle(base + pane * 0.12 + out * (0.012 * s) + Vec3{0, -half, 0}, {0, 2 * half, 0},
                     pane * 0.76, dark));
  for (const double y : {-0.36, 0.36}) {
    body.add(box({0.04 * s, 0.3 * s, 0.14 * s}, front), translation({h, y * w, clear + 0.3 * s}));
    body.add(box({0.04 * s, 0.26 * s, 0.14 * s}, rear), translation({-h, y * w, clear + 0.36 * s}));
  }
  body.add(box({0.06 * s, w * 0.96, 0.12 * s}, dark), translation({h, 0, clear + 0.06 * s}));
  car->segment = world.add_segment(car->noun);
  car->parts.push_back(world.add(std::move(body), car->segment, site.pose, true));
  for (const double x : {-0.6, 0.62}) {
    for (const double y : {-1.0, 1.0}) {
      // Axle along y.
      const Pose lie = rotation({1, 0, 0}, kPi / 2);
      Mesh wheel;
      wheel.add(cylinder(r, r, 0.22 * s, tyre, 18), translation({0, 0.11 * s, 0}) * lie);
      for (const double side : {-1.0, 1.0}) {
        wheel.add(cylinder(0.62 * r, 0.62 * r, 0.02 * s, rim, 14),
                  translation({0, side * 0.11 * s + 0.01 * s, 0}) * lie);
        for (int k = 0; k < 3; ++k) {
          wheel.add(box({1.05 * r, 0.012 * s, 0.09 * r}, dark),
                    translation({0, side * 0.125 * s, 0}) * rotation({0, 1, 0}, kPi * k / 3));
        }
      }
      const double turned = style.between(0, kPi);
      car->parts.push_back(world.add(
          std::move(wheel), car->segment,
          site.pose * translation({x * h, y * (w / 2 - 0.08 * s), r}) * rotation({0, 1, 0}, turned),
          true));
    }
  }
  return car;
}

}  // namespace momap::synthetic
