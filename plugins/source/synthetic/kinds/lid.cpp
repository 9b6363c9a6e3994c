// SPDX-License-Identifier: Apache-2.0
#include "hinged.h"
#include "kinds.h"

// A chest with a lid that is hinged at its back; a latch is at the front.

namespace momap::synthetic {

std::unique_ptr<Mover> build_lid(World& world, const Site& site, Style& style) {
  auto lid = std::make_unique<Articulated>();
  lid->kind = "lid";
  lid->noun = "lid";
  const double s = site.scale;
  const double width = (0.65 + 0.45 * style.proportion()) * s;
  const double deep = (0.45 + 0.15 * style.proportion()) * s;
  const double high = (0.38 + 0.2 * style.proportion()) * s, wall = 0.03 * s;
  const Colour colour = style.colour();
  lid->colour = colour.name;
  const int design = style.design();
  const Material wood = style.wood(0.5 * s + 0.1);
  const int body = world.add(design % 2 == 0 ? wood : style.painted(style.colour(), 0.35 * s));
  const int inside = world.add(style.plain({0.10, 0.08, 0.06}));
  const int cover = world.add(style.painted(colour, 0.35 * s));
  const int metal = world.add(style.plain({0.62, 0.56, 0.36}));

  const int chest = world.add_segment("chest");
  Mesh mesh;
  for (const double y : {-1.0, 1.0}) {
    mesh.add(box({width, wall, high}, body), translation({0, y * (deep - wall) / 2, high / 2}));
    mesh.add(box({width - 2.2 * wall, 0.004 * s, high - 0.01 * s}, inside),
             translation({0, y * (deep / 2 - wall - 0.003 * s), high / 2}));
  }
  for (const double x : {-1.0, 1.0}) {
    mesh.add(box({wall, deep - 2 * wall, high}, body),
             translation({x * (width - wall) / 2, 0, high / 2}));
    if (design == 2 || design == 4) {
      mesh.add(box({0.05 * s, deep + 0.02 * s, high * 0.98}, metal),
               translation({x * width * 0.33, 0, high / 2}));
    }
  }
  if (design == 2 || design == 4)
    mesh.add(box({width - 2 * wall, deep - 2 * wall, 0.9 * high}, inside),
             translation({0, 0, 0.46 * high}));
  mesh.add(box({width - 2 * wall, deep - 2 * wall, wall}, inside), translation({0, 0, wall / 2}));
  mesh.add(box({0.06 * s, 0.02 * s, 0.08 * s}, metal),
           translation({0, -deep / 2 - 0.008 * s, high - 0.06 * s}));
  world.add(std::move(mesh), chest, site.pose);
  world.obstacles.push_back({site.pose * translation({0, 0, high / 2}), {width, deep, high}});

  // Lid frame: the hinge line is its x axis, the lid reaches to -y.
  const Pose hinge = site.pose * translation({0, deep / 2, high + 0.004 * s});
  Mesh top = box({width + 0.03 * s, deep + 0.03 * s, 0.045 * s}, cover);
  Mesh moving;
  moving.add(top, translation({0, -deep / 2, 0.0225 * s}));
  if (design == 1 || design == 3) {
    moving.add(prism({{-deep * 0.45, 0},
                      {deep * 0.45, 0},
                      {deep * 0.22, 0.09 * s},
                      {-deep * 0.22, 0.09 * s}},
                     width * 0.96, cover),
               translation({0, -deep / 2, 0.045 * s}) * rotation({0, 0, 1}, kPi / 2));
  }
  moving.add(box({0.08 * s, 0.02 * s, 0.05 * s}, metal),
             translation({0, -deep - 0.026 * s, 0.01 * s}));
  for (const double x : {-0.3, 0.3}) {
    moving.add(
        cylinder(0.018 * s, 0.018 * s, 0.1 * s, metal, 10),
        translation({x * width - 0.05 * s, 0.02 * s, 0.01 * s}) * rotation({0, 1, 0}, kPi / 2));
  }
  const bool ajar = style.coin(0.35);
  const double rest = ajar ? style.between(0.5, 1.0) : 0;
  // About x a positive turn takes -y down, so opening is negative.
  lid->segment = world.add_segment("lid");
  lid->parts = {
      world.add(std::move(moving), lid->segment, hinge * rotation({1, 0, 0}, -rest), true)};
  const Vec3 axis = site.pose.rotate({-1, 0, 0});
  lid->joints = {{Joint::Kind::hinge,
                  lid->segment,
                  {hinge.t.x, hinge.t.y, hinge.t.z},
                  {axis.x, axis.y, axis.z}}};
  lid->strokes = {{0.35,
                   2.6,
                   -rest,
                   1.75 - rest,
                   1,
                   {"open", {"opens", "is lifted", "lifts up", "swings open"}, false, ""}}};
  if (ajar) {
    lid->strokes.push_back({0.3,
                            2.4,
                            -rest,
                            1.75 - rest,
                            -1,
                            {"close", {"closes", "falls shut", "comes down"}, false, ""}});
  }
  lid->options = static_cast<int>(lid->strokes.size());
  return lid;
}

}  // namespace momap::synthetic
