// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

// A table top with toys and small furniture on it, z = 0 at its surface.

namespace momap::synthetic {

Layout build_table(World& world, Style& style) {
  world.setting = "table";
  const int layout = style.design();
  const double width = 1.25 + 0.3 * style.proportion(), deep = 0.75 + 0.2 * style.proportion();
  const int top = world.add(style.wood(0.9));
  const int wall = world.add(style.wall()), floor = world.add(style.floor());
  const int legs = world.add(style.plain(style.brown()));
  world.add_background(rectangle({-4, 1.1, -0.75}, {8, 0, 0}, {0, 0, 3.5}, wall));
  world.add_background(rectangle({-4, -3, -0.75}, {8, 0, 0}, {0, 4.1, 0}, floor));
  world.add_background(box({width, deep, 0.04}, top), translation({0, 0, -0.02}));
  for (const double x : {-width / 2 + 0.08, width / 2 - 0.08}) {
    for (const double y : {-deep / 2 + 0.08, deep / 2 - 0.08}) {
      world.add_background(box({0.07, 0.07, 0.71}, legs), translation({x, y, -0.395}));
    }
  }
  // What lies on the table gives scale: a mat or a tray.
  if (layout % 2 == 0) {
    const int mat = world.add(
        Material{Look::fabric, style.variant(), style.colour().rgb * 0.8, style.quiet(), 0.25});
    world.add_background(box({width * 0.7, deep * 0.66, 0.004}, mat), translation({0, 0, 0.002}));
  }
  world.obstacles.push_back({translation({0, 0, -0.02}), {width, deep, 0.04}});
  world.obstacles.push_back({translation({0, 0, -1.25}), {40, 40, 1}});

  Layout out;
  const double step = width / 4.2;
  for (int i = 0; i < 4; ++i) {
    const double x = (i - 1.5) * step;
    const double turn = style.between(-0.4, 0.4);
    const double back = layout == 1 ? 0.5 * x * x : layout == 3 ? 0.08 * i : 0.06 * (i % 2);
    out.places.push_back({Place::Ground::floor,
                          {translation({x, 0.2 - back, 0}) * rotation({0, 0, 1}, turn), 0.28}});
  }
  for (const double x : {-0.5, 0.5}) {
    const double turn = style.between(-0.3, 0.3);
    out.places.push_back(
        {Place::Ground::floor,
         {translation({x * step * 2.2, -0.16, 0}) * rotation({0, 0, 1}, turn), 0.22}});
  }
  for (const double x : {-width / 2 + 0.1, width / 2 - 0.1}) {
    out.clutter.push_back({translation({x, -deep / 2 + style.between(0.15, 0.5), 0}), 0.26});
  }

  world.light.sun = false;
  const double lamp_x = style.between(-1.0, 1.0), lamp_y = style.between(-1.2, -0.3);
  world.light.place = {lamp_x, lamp_y, style.between(1.1, 1.7)};
  world.light.colour = Vec3{0.95, 0.86, 0.74} * style.between(0.75, 0.95);
  world.light.sky = Vec3{0.30, 0.31, 0.34} * style.between(0.8, 1.2);
  world.light.ground = Vec3{0.22, 0.19, 0.17} * style.between(0.8, 1.2);
  const double eye_x = style.between(-0.45, 0.45), eye_y = style.between(-1.2, -0.9);
  out.eye = {eye_x, eye_y, style.between(0.4, 0.75)};
  out.target = {0, 0, 0.1};
  out.low_fov = 38;
  out.high_fov = 52;
  return out;
}

}  // namespace momap::synthetic
