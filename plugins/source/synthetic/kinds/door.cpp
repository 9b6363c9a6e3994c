// SPDX-License-Identifier: Apache-2.0
#include "hinged.h"
#include "kinds.h"

// A door leaf in front of a dark doorway. Knuckles show the hinge side, a handle the other.

namespace momap::synthetic {
namespace {

Mesh leaf(World& world, Style& style, double width, double height, double side,
          const Colour& colour) {
  constexpr double kThick = 0.045;
  Material paint = style.painted(colour, 0.6);
  if (style.coin(0.6)) paint = {Look::wood, style.variant(), colour.rgb, colour.rgb * 0.6, 0.7};
  const int face = world.add(paint);
  const int trim = world.add(style.plain(colour.rgb * 0.7));
  const int metal = world.add(style.plain({0.62, 0.56, 0.36}));
  // Leaf frame: hinge on the z axis, leaf along x * side, front at -y.
  const double middle = side * width / 2;
  Mesh mesh = box({width, kThick, height}, face);
  Mesh out;
  out.add(mesh, translation({middle, 0, height / 2}));
  const int design = style.design();
  const auto panel = [&](double x, double z, double w, double h) {
    out.add(box({w, kThick + 0.024, h}, trim), translation({side * x, 0, z}));
  };
  const double w = width;
  if (design == 0) {
    panel(w / 2, height * 0.27, w * 0.62, height * 0.34);
    panel(w / 2, height * 0.72, w * 0.62, height * 0.36);
  } else if (design == 1) {
    for (const double x : {0.29, 0.71}) {
      for (const double z : {0.22, 0.52, 0.82}) panel(w * x, height * z, w * 0.3, height * 0.2);
    }
  } else if (design == 2) {
    for (const double z : {0.15, 0.5, 0.85}) panel(w / 2, height * z, w * 0.9, height * 0.06);
  } else if (design == 3) {
    panel(w / 2, height * 0.75, w * 0.5, height * 0.3);
    for (const double x : {0.2, 0.4, 0.6, 0.8}) panel(w * x, height * 0.3, 0.03, height * 0.5);
  } else {
    panel(w / 2, height * 0.5, w * 0.12, height * 0.9);
    panel(w / 2, height * 0.6, w * 0.8, height * 0.07);
  }
  for (const double z : {0.15, 0.5, 0.85}) {
    out.add(cylinder(0.025, 0.025, 0.14, metal, 10), translation({0, -0.03, height * z - 0.07}));
  }
  const Pose knob = translation({side * (width - 0.09), -0.09, height * 0.48});
  out.add(sphere(0.045, metal, 8), knob);
  out.add(box({0.03, 0.1, 0.03}, metal), knob * translation({0, 0.05, 0}));
  return out;
}

}  // namespace

std::unique_ptr<Mover> build_door(World& world, const Site& site, Style& style) {
  auto door = std::make_unique<Articulated>();
  door->kind = door->noun = "door";
  const Colour colour = style.colour();
  door->colour = colour.name;
  const double width = 0.78 + 0.25 * style.proportion(), height = 1.9 + 0.25 * style.proportion();
  const double side = style.coin() ? 1 : -1;  // +1: hinge on the left, leaf to the right

  // Frame and doorway, just in front of the wall.
  const int frame = world.add_segment("door frame");
  const Material wood = style.coin() ? style.wood(0.8) : style.plain(style.quiet());
  const int trim = world.add(wood), dark = world.add(style.plain({0.03, 0.03, 0.035}));
  Mesh around;
  around.add(box({0.1, 0.1, height + 0.1}, trim),
             translation({-width / 2 - 0.055, -0.06, height / 2 + 0.05}));
  around.add(box({0.1, 0.1, height + 0.1}, trim),
             translation({width / 2 + 0.055, -0.06, height / 2 + 0.05}));
  around.add(box({width + 0.01, 0.1, 0.09}, trim), translation({0, -0.06, height + 0.055}));
  around.add(rectangle({-width / 2, -0.015, 0}, {width, 0, 0}, {0, 0, height}, dark));
  world.add(std::move(around), frame, site.pose);

  const Pose hinge = site.pose * translation({-side * width / 2, -0.07, 0.012});
  const bool ajar = style.coin(0.3);
  const double open_sign = -side;  // about z: the leaf swings to the front
  const double rest = ajar ? style.between(0.6, 1.1) : 0;
  door->segment = world.add_segment("door");
  Mesh mesh = leaf(world, style, width - 0.012, height - 0.02, side, colour);
  door->parts = {world.add(std::move(mesh), door->segment,
                           hinge * rotation({0, 0, 1}, open_sign * rest), true)};
  const Vec3 axis = site.pose.rotate({0, 0, open_sign});
  door->joints = {{Joint::Kind::hinge,
                   door->segment,
                   {hinge.t.x, hinge.t.y, hinge.t.z},
                   {axis.x, axis.y, axis.z}}};
  door->strokes = {{0.35,
                    2.6,
                    -rest,
                    1.9 - rest,
                    1,
                    {"open", {"opens", "swings open", "is pulled open", "turns open"}, false, ""}}};
  if (ajar) {
    door->strokes.push_back({0.3,
                             2.2,
                             -rest,
                             1.9 - rest,
                             -1,
                             {"close", {"closes", "swings shut", "falls shut"}, false, ""}});
  }
  door->options = static_cast<int>(door->strokes.size());
  return door;
}

}  // namespace momap::synthetic
