// SPDX-License-Identifier: Apache-2.0
#include "hinged.h"
#include "kinds.h"

// Blades or spokes that turn about a hub on a stand. Slanted blades show the way they turn; a
// spoked wheel may turn either way. One blade has another colour.

namespace momap::synthetic {

std::unique_ptr<Mover> build_fan(World& world, const Site& site, Style& style) {
  auto fan = std::make_unique<Articulated>();
  fan->kind = "fan";
  const int design = style.design();
  const bool wheel = design == 1 || design == 4;
  fan->noun = wheel ? "wheel" : (design == 3 ? "windmill" : "fan");
  const double s = site.scale;
  const double radius = (0.34 + 0.14 * style.proportion()) * s;
  const double high = radius + (0.35 + 0.4 * style.proportion()) * s;
  const Colour colour = style.colour();
  fan->colour = colour.name;
  const int blade = world.add(style.plain(colour.rgb));
  const int mark = world.add(style.painted(style.colour(), 0.12 * s));
  const int metal = world.add(style.plain(Vec3{0.35, 0.36, 0.38} * style.between(0.5, 1.5)));
  const int stand_material =
      world.add(style.coin() ? style.wood(0.5 * s) : style.plain(style.quiet()));

  const int stand = world.add_segment("stand");
  Mesh post = cylinder(0.03 * s, 0.03 * s, high, stand_material, 12);
  post.add(cylinder(0.17 * s, 0.14 * s, 0.05 * s, stand_material, 20));
  // The axle, from the post to the front.
  const Pose to_front = rotation({1, 0, 0}, kPi / 2);  // z to -y
  post.add(cylinder(0.04 * s, 0.04 * s, 0.12 * s, stand_material, 12),
           translation({0, 0.06 * s, high}) * to_front);
  world.add(std::move(post), stand, site.pose);
  world.obstacles.push_back({site.pose * translation({0, 0, high / 2}), {0.2 * s, 0.2 * s, high}});

  // Rotor frame: z is the axle, to the front.
  static constexpr std::array<int, 5> kBlades{3, 6, 4, 4, 8};
  const int count = kBlades[static_cast<size_t>(design)];
  const double side = style.coin() ? 1 : -1;
  const double pitch = wheel ? 0 : side * 0.5;
  Mesh rotor = cylinder(0.06 * s, 0.045 * s, 0.07 * s, metal, 16);
  for (int i = 0; i < count; ++i) {
    const Pose around = rotation({0, 0, 1}, 2 * kPi * i / count + 0.3);
    const int material = i == 0 ? mark : blade;
    const double width = wheel ? 0.035 * s : (design == 3 ? 0.14 : 0.2) * s;
    const double inner = design == 3 ? 0.25 : 0.1;
    rotor.add(box({radius * (1 - inner), width, 0.012 * s}, material),
              around * translation({radius * (1 + inner) / 2, 0, 0.035 * s}) *
                  rotation({1, 0, 0}, pitch));
    if (design == 3) {
      rotor.add(box({radius * 0.4, 0.02 * s, 0.02 * s}, metal),
                around * translation({radius * 0.2, 0, 0.035 * s}));
    }
  }
  if (wheel) {
    constexpr int kSides = 24;
    const double chord = 2 * radius * sine(kPi / kSides);
    for (int i = 0; i < kSides; ++i) {
      rotor.add(box({0.05 * s, chord * 1.03, 0.05 * s}, i % 6 == 0 ? mark : blade),
                rotation({0, 0, 1}, 2 * kPi * i / kSides) * translation({radius, 0, 0.035 * s}));
    }
  }
  fan->segment = world.add_segment(fan->noun);
  const Pose hub = site.pose * translation({0, -0.06 * s, high}) * to_front;
  fan->parts = {world.add(std::move(rotor), fan->segment, hub, true)};
  const Vec3 axis = site.pose.rotate({0, -1, 0});
  fan->joints = {
      {Joint::Kind::hinge, fan->segment, {hub.t.x, hub.t.y, hub.t.z}, {axis.x, axis.y, axis.z}}};
  // About the axis that points to the viewer a positive turn is counterclockwise. Blades push the
  // air to the front: seen from there they lead with the edge that lies farther back.
  const auto way = [&](double sign) {
    return Articulated::Stroke{
        0.5,
        3.0,
        -1e3,
        1e3,
        sign,
        {"turn", {"turns", "spins", "rotates"}, false, sign > 0 ? "counterclockwise" : "clockwise"}};
  };
  fan->strokes = wheel ? std::vector{way(1), way(-1)} : std::vector{way(-side)};
  fan->options = static_cast<int>(fan->strokes.size());
  return fan;
}

}  // namespace momap::synthetic
