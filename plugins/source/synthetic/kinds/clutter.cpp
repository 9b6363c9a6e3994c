// SPDX-License-Identifier: Apache-2.0
#include "kinds.h"

namespace momap::synthetic {

void build_clutter(World& world, const Site& site, Style& style) {
  const double s = site.scale;
  const Pose place = site.pose * rotation({0, 0, 1}, style.between(-0.6, 0.6));
  const int main = world.add(style.painted(style.colour(), 0.3 * s));
  const int other = world.add(style.plain(style.quiet()));
  Mesh mesh;
  const char* name = "box";
  Vec3 size{0.4 * s, 0.4 * s, 0.5 * s};
  switch (style.random.below(6)) {
    case 0: {
      const double w = (0.3 + 0.3 * style.proportion()) * s, h = style.between(0.25, 0.5) * s;
      const int card = world.add(style.wood(0.4 * s));
      mesh.add(box({w, w * 0.8, h}, card), translation({0, 0, h / 2}));
      mesh.add(box({w * 1.01, w * 0.14, h * 1.004}, other), translation({0, 0, h / 2 + 0.001 * s}));
      size = {w, w * 0.8, h};
      break;
    }
    case 1: {
      name = "vase";
      const double r = (0.09 + 0.05 * style.proportion()) * s;
      mesh.add(cylinder(r * 0.7, r * 1.2, 0.2 * s, main, 20));
      mesh.add(cylinder(r * 1.2, r * 0.5, 0.16 * s, main, 20), translation({0, 0, 0.2 * s}));
      mesh.add(cylinder(r * 0.5, r * 0.75, 0.08 * s, other, 20), translation({0, 0, 0.36 * s}));
      break;
    }
    case 2: {
      name = "books";
      double z = 0;
      for (int i = 0; i < 4; ++i) {
        const int cover = world.add(style.plain(style.colour().rgb * 0.8));
        const double h = style.between(0.04, 0.08) * s, turn = style.between(-0.25, 0.25);
        mesh.add(box({0.34 * s, 0.25 * s, h}, cover),
                 translation({0, 0, z + h / 2}) * rotation({0, 0, 1}, turn));
        z += h;
      }
      size = {0.34 * s, 0.25 * s, z};
      break;
    }
    case 3: {
      name = "plant";
      const Vec3 green{0.08, 0.26, 0.06};
      const int leaves =
          world.add(Material{Look::grass, style.variant(), green, green * 0.4, 0.5 * s});
      mesh.add(cylinder(0.13 * s, 0.18 * s, 0.28 * s, main, 18));
      mesh.add(sphere(0.24 * s, leaves, 8, 1.25), translation({0, 0, 0.5 * s}));
      mesh.add(sphere(0.16 * s, leaves, 7), translation({0.14 * s, -0.05 * s, 0.62 * s}));
      break;
    }
    case 4: {
      name = "cone";
      const int orange = world.add(Material{
          Look::stripes, style.variant(), {0.85, 0.25, 0.03}, {0.85, 0.85, 0.82}, 0.4 * s});
      mesh.add(cylinder(0.17 * s, 0.03 * s, 0.5 * s, orange, 20), translation({0, 0, 0.03 * s}));
      mesh.add(box({0.42 * s, 0.42 * s, 0.03 * s}, other), translation({0, 0, 0.015 * s}));
      break;
    }
    default: {
      name = "stool";
      const int wood = world.add(style.wood(0.4 * s));
      mesh.add(cylinder(0.19 * s, 0.19 * s, 0.05 * s, main, 22), translation({0, 0, 0.42 * s}));
      for (const double x : {-1.0, 1.0}) {
        for (const double y : {-1.0, 1.0}) {
          mesh.add(box({0.04 * s, 0.04 * s, 0.42 * s}, wood),
                   translation({x * 0.11 * s, y * 0.11 * s, 0.21 * s}));
        }
      }
    }
  }
  world.add(std::move(mesh), world.add_segment(name), place);
  world.obstacles.push_back({place * translation({0, 0, size.z / 2}), size});
}

}  // namespace momap::synthetic
