// SPDX-License-Identifier: Apache-2.0
#include "hinged.h"
#include "kinds.h"

// A chest of drawers; one of them may slide. Handles show that drawers pull out.

namespace momap::synthetic {

std::unique_ptr<Mover> build_drawer(World& world, const Site& site, Style& style) {
  auto drawer = std::make_unique<Articulated>();
  drawer->kind = drawer->noun = "drawer";
  const double s = site.scale;
  const double width = (0.75 + 0.4 * style.proportion()) * s, deep = 0.48 * s;
  const int design = style.design();
  const int count = design == 4 ? 4 : design == 3 ? 1 : 2 + design % 2;
  const double each = (design == 3 ? 0.34 : 0.25) * s, gap = 0.025 * s, wall = 0.03 * s;
  const double high = count * (each + gap) + gap + (design == 1 ? 0.12 * s : 0);
  const double base = high - count * (each + gap) - gap;  // height of the feet

  const int body = world.add(style.wood(0.6 * s + 0.2));
  const int dark = world.add(style.plain({0.04, 0.035, 0.03}));
  const int cabinet = world.add_segment("chest of drawers");
  // Origin: middle of the front, on the ground; the body goes back from there.
  const Pose place = site.pose * translation({0, -deep - 0.02 * s, 0});
  Mesh mesh;
  for (const double x : {-1.0, 1.0}) {
    mesh.add(box({wall, deep, high}, body),
             translation({x * (width - wall) / 2, deep / 2, high / 2}));
  }
  mesh.add(box({width + 0.04 * s, deep + 0.03 * s, wall}, body),
           translation({0, deep / 2 - 0.01 * s, high + wall / 2}));
  mesh.add(box({width, wall, high}, dark), translation({0, deep - wall / 2, high / 2}));
  for (int i = 0; i <= count; ++i) {
    const double z = base + gap / 2 + i * (each + gap);
    mesh.add(box({width - 2 * wall, deep - wall, gap}, body),
             translation({0, (deep - wall) / 2, z}));
  }
  world.add(std::move(mesh), cabinet, place);
  world.obstacles.push_back({place * translation({0, deep / 2, high / 2}), {width, deep, high}});

  const Colour colour = style.colour();
  drawer->colour = colour.name;
  const auto chosen = static_cast<int>(style.random.below(count));
  const int other = world.add(style.painted(style.colour(), 0.3 * s));
  const int own = world.add(style.painted(colour, 0.3 * s));
  const int inside = world.add(style.plain({0.42, 0.33, 0.22}));
  const int metal = world.add(style.plain({0.60, 0.55, 0.38}));
  const double reach = 0.72 * deep;
  const bool out = style.coin(0.3);
  const double pulled = out ? style.between(0.4, 0.75) * reach : 0;
  for (int i = 0; i < count; ++i) {
    const double w = width - 2 * wall - 0.008 * s, h = each - 0.008 * s;
    Mesh tray = box({w, 0.025 * s, h}, i == chosen ? own : other);
    const double long_ = deep - 2 * wall;
    for (const double x : {-1.0, 1.0}) {
      tray.add(box({0.012 * s, long_, 0.75 * h}, inside),
               translation({x * (w / 2 - 0.02 * s), long_ / 2, -0.08 * h}));
    }
    tray.add(box({w - 0.04 * s, long_, 0.012 * s}, inside), translation({0, long_ / 2, -0.42 * h}));
    tray.add(box({w - 0.04 * s, 0.012 * s, 0.75 * h}, inside), translation({0, long_, -0.08 * h}));
    if (design % 2 == 0) {
      tray.add(box({0.3 * w, 0.02 * s, 0.025 * s}, metal), translation({0, -0.045 * s, 0}));
      for (const double x : {-0.13, 0.13}) {
        tray.add(box({0.02 * s, 0.04 * s, 0.02 * s}, metal), translation({x * w, -0.025 * s, 0}));
      }
    } else {
      for (const double x : {-0.25, 0.25}) {
        tray.add(sphere(0.028 * s, metal, 7), translation({x * w, -0.035 * s, 0}));
      }
    }
    const Pose rest = place * translation({0, -0.002 * s - (i == chosen ? pulled : 0),
                                           base + gap + i * (each + gap) + each / 2});
    const int segment = world.add_segment("drawer");
    const int part = world.add(std::move(tray), segment, rest, i == chosen);
    if (i != chosen) continue;
    drawer->segment = segment;
    drawer->parts = {part};
    const Vec3 axis = site.pose.rotate({0, -1, 0});
    drawer->joints = {
        {Joint::Kind::slide, segment, {rest.t.x, rest.t.y, rest.t.z}, {axis.x, axis.y, axis.z}}};
  }
  drawer->strokes = {
      {0.12 * s,
       0.9 * s,
       -pulled,
       reach - pulled,
       1,
       {"open", {"opens", "slides out", "is pulled out", "slides open"}, false, ""}}};
  if (out) {
    drawer->strokes.push_back({0.1 * s,
                               0.7 * s,
                               -pulled,
                               reach - pulled,
                               -1,
                               {"close", {"closes", "slides shut", "is pushed in"}, false, ""}});
  }
  drawer->options = static_cast<int>(drawer->strokes.size());
  return drawer;
}

}  // namespace momap::synthetic
