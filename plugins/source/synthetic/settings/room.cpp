// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

// A room seen from its open front. Five layouts: how the walls, windows and furniture stand.

namespace momap::synthetic {
namespace {

void window(World& world, Style& style, const Pose& at, double width, double height) {
  const int frame = world.add(style.plain({0.75, 0.74, 0.70}));
  const int glass = world.add(
      Material{Look::plaster, style.variant(), {0.45, 0.62, 0.85}, {0.75, 0.85, 0.95}, 2});
  Mesh mesh = box({width, 0.03, height}, glass);
  for (const double x : {-0.5, 0.0, 0.5}) {
    mesh.add(box({0.06, 0.08, height + 0.06}, frame), translation({x * width, 0, 0}));
  }
  for (const double z : {-0.5, 0.1, 0.5}) {
    mesh.add(box({width + 0.06, 0.08, 0.06}, frame), translation({0, 0, z * height}));
  }
  world.add_background(std::move(mesh), at);
}

}  // namespace

Layout build_room(World& world, Style& style) {
  world.setting = "room";
  const int layout = style.design();
  const double half = 2.2 + 0.6 * style.proportion(), back = 3.0 + 0.6 * style.proportion();
  const double high = 2.6, front = -6;
  const int wall = world.add(style.wall()), side = world.add(style.wall());
  const int floor = world.add(style.floor());
  const int ceiling = world.add(style.plain({0.75, 0.74, 0.72}));
  const int skirting = world.add(style.plain(style.coin() ? Vec3{0.7, 0.69, 0.66} : style.brown()));
  const double deep = back - front;
  Mesh mesh = rectangle({-half, front, 0}, {2 * half, 0, 0}, {0, deep, 0}, floor);
  mesh.add(rectangle({-half, back, 0}, {2 * half, 0, 0}, {0, 0, high}, wall));
  mesh.add(rectangle({-half, front, 0}, {0, deep, 0}, {0, 0, high}, side));
  mesh.add(rectangle({half, back, 0}, {0, -deep, 0}, {0, 0, high}, side));
  mesh.add(rectangle({-half, back, high}, {2 * half, 0, 0}, {0, -deep, 0}, ceiling));
  world.add_background(std::move(mesh));
  world.add_background(box({2 * half, 0.03, 0.1}, skirting), translation({0, back - 0.016, 0.05}));
  for (const double x : {-half + 0.016, half - 0.016}) {
    world.add_background(box({0.03, deep, 0.1}, skirting), translation({x, back - deep / 2, 0.05}));
  }
  world.obstacles.push_back({translation({0, 0, -0.5}), {40, 40, 1}});
  world.obstacles.push_back({translation({0, back + 0.5, 1.3}), {2 * half, 1, high}});
  for (const double x : {-half - 0.5, half + 0.5}) {
    world.obstacles.push_back({translation({x, back - deep / 2, 1.3}), {1, deep, high}});
  }

  Layout out;
  // Back wall: four places, one of which may be a window; the row in front stands in the gaps.
  const double step = 2 * half / 4;
  const int gap = layout == 1 ? 0 : layout == 2 ? 3 : layout == 3 ? 1 : -1;
  for (int i = 0; i < 4; ++i) {
    const double x = -half + (i + 0.5) * step;
    if (i == gap) {
      window(world, style, translation({x, back - 0.03, 1.5}), 0.9, 1.1);
      out.clutter.push_back({translation({x, back - 0.4, 0}), 1});
      continue;
    }
    out.places.push_back({Place::Ground::wall, {translation({x, back, 0}), 1}});
  }
  for (int i = 0; i < 3; ++i) {
    const double x = (i - 1) * step, y = back - 1.5 - (layout == 4 ? 0.35 * i : 0.25 * (i % 2));
    const double turn = style.between(-0.35, 0.35);
    out.places.push_back(
        {Place::Ground::floor, {translation({x, y, 0}) * rotation({0, 0, 1}, turn), 1}});
  }
  if (layout == 0 || layout == 4) {
    // A rug.
    const int rug = world.add(
        Material{Look::fabric, style.variant(), style.colour().rgb * 0.7, style.quiet(), 0.8});
    world.add_background(box({2.6, 1.8, 0.012}, rug), translation({0, back - 1.7, 0.006}));
  }
  for (const double x : {-half + 0.35, half - 0.35}) {
    out.clutter.push_back({translation({x, back - 1.2 - style.between(0, 1.2), 0}), 1});
  }
  // A picture on a side wall, high up.
  const int picture = world.add(style.painted(style.colour(), 0.5));
  const double y = back - style.between(0.8, 2);
  world.add_background(box({0.04, 0.8, 0.6}, picture), translation({-half + 0.02, y, 1.6}));

  world.light.sun = false;
  const double lamp_x = style.between(-1.6, 1.6);
  world.light.place = {lamp_x, style.between(-1.2, 0.6), 2.45};
  const double warm = style.between(0.75, 1);
  world.light.colour = Vec3{1, 0.85 + 0.1 * warm, 0.7 + 0.25 * warm} * style.between(1.0, 1.35);
  world.light.sky = Vec3{0.30, 0.30, 0.32} * style.between(0.8, 1.2);
  world.light.ground = Vec3{0.24, 0.21, 0.18} * style.between(0.8, 1.2);
  const double eye_x = style.between(-1.2, 1.2), eye_y = style.between(-1.4, -0.4);
  out.eye = {eye_x, eye_y, style.between(1.25, 1.75)};
  out.target = {0, back - 0.8, 0.75};
  out.low_fov = 45;
  out.high_fov = 62;
  return out;
}

}  // namespace momap::synthetic
