// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

// A road between pavements, with houses and trees behind. The road may bend.

namespace momap::synthetic {
namespace {

constexpr double kRoad = 6.5;  // y of the middle of the road, metres
constexpr double kWide = 6.0;

void tree(World& world, Style& style, const Vec3& at) {
  const int bark = world.add(style.wood(0.5));
  const Vec3 green{0.10, 0.24 + 0.1 * style.random.uniform(), 0.06};
  const int leaves = world.add(Material{Look::grass, style.variant(), green, green * 0.45, 1.2});
  const double high = style.between(1.6, 2.4);
  const int segment = world.add_segment("tree");
  Mesh mesh = cylinder(0.16, 0.11, high, bark, 10);
  if (style.coin()) {
    for (const double z : {0.0, 0.8, 1.5}) {
      mesh.add(cylinder(1.25 - 0.35 * z, 0.05, 1.4, leaves, 14),
               translation({0, 0, high + z - 0.3}));
    }
  } else {
    mesh.add(sphere(1.1, leaves, 9, 1.15), translation({0, 0, high + 0.8}));
    mesh.add(sphere(0.75, leaves, 8), translation({0.6, -0.3, high + 0.5}));
    mesh.add(sphere(0.7, leaves, 8), translation({-0.6, 0.2, high + 0.6}));
  }
  world.add(std::move(mesh), segment, translation(at));
}

void house(World& world, Style& style, double x, double y, double width, double high) {
  Material wall = style.wall();
  if (style.coin(0.6)) {
    wall = {Look::windows, style.variant(), style.quiet(), {0.10, 0.14, 0.20}, style.between(5, 7)};
  }
  const int facade = world.add(wall), roof = world.add(style.plain({0.28, 0.12, 0.09}));
  const int door = world.add(style.plain(style.colour().rgb * 0.6));
  const int segment = world.add_segment("house");
  Mesh mesh;
  mesh.add(box({width, 6, high}, facade), translation({0, 3, high / 2}));
  if (style.coin()) {
    mesh.add(prism({{-width / 2 - 0.3, 0}, {width / 2 + 0.3, 0}, {0, 2.2}}, 6.6, roof),
             translation({0, 3, high}));
  } else {
    mesh.add(box({width + 0.4, 6.4, 0.25}, roof), translation({0, 3, high + 0.125}));
  }
  mesh.add(box({1.1, 0.08, 2.1}, door), translation({style.between(-1, 1), -0.03, 1.05}));
  world.add(std::move(mesh), segment, translation({x, y, 0}));
}

}  // namespace

Layout build_street(World& world, Style& style) {
  world.setting = "street";
  const int layout = style.design();
  // Curvature of the road, 1/m: y = kRoad + bend x^2 / 2. Cars follow it.
  const double bend =
      layout == 0 ? 0 : (layout % 2 == 1 ? 1 : -1) * (0.012 + 0.01 * style.proportion());
  const Vec3 green{0.13, 0.27, 0.07};
  const int grass = world.add(Material{Look::grass, style.variant(), green, {0.22, 0.30, 0.10}, 2});
  const Vec3 grey = Vec3{0.20, 0.20, 0.21} * style.between(0.8, 1.3);
  const int road = world.add(Material{Look::asphalt, style.variant(), grey, grey * 0.7, 1.5});
  const int paint = world.add(style.plain({0.75, 0.75, 0.70}));
  const Vec3 stone = style.quiet();
  const int pavement = world.add(Material{Look::tiles, style.variant(), stone, stone * 0.55, 2});
  world.add_background(rectangle({-60, -15, 0}, {120, 0, 0}, {0, 110, 0}, grass));
  const auto line = [&](double offset, double z) {
    std::vector<Vec3> points;
    for (int i = -20; i <= 20; ++i) {
      const double x = 2.0 * i;
      points.push_back({x, kRoad + offset + bend * x * x / 2, z});
    }
    return points;
  };
  world.add_background(strip(line(0, 0.01), kWide, road));
  for (const double y : {-kWide / 2 - 1.2, kWide / 2 + 1.2}) {
    world.add_background(strip(line(y, 0.02), 2.4, pavement));
  }
  for (int i = -14; i < 14; ++i) {
    std::vector<Vec3> dash;
    for (const double x : {2.6 * i, 2.6 * i + 1.3})
      dash.push_back({x, kRoad + bend * x * x / 2, 0.018});
    world.add_background(strip(dash, 0.14, paint));
  }
  double x = -22;
  while (x < 20) {
    const double width = style.between(5, 8.5), high = style.between(3.2, 8);
    const double middle = x + width / 2;
    if (style.coin(0.75)) {
      house(world, style, middle, kRoad + 7.5 + std::max(0.0, bend * 200), width, high);
    } else {
      tree(world, style, {middle, kRoad + 8, 0});
    }
    x += width + style.between(0.4, 3);
  }
  for (const double tx : {-9.5, -3.5, 4.0, 9.0}) {
    if (style.coin(0.4))
      tree(world, style, {tx + style.between(-1, 1), kRoad + 5.4 + bend * tx * tx / 2, 0});
  }

  world.obstacles.push_back({translation({0, 0, -0.5}), {200, 200, 1}});

  Layout out;
  for (int i = 0; i < 4; ++i) {
    const double px = (i - 1.5) * 1.55, py = 1.9 - 0.5 * (i % 2) + style.between(-0.3, 0.3);
    const double turn = style.between(-0.3, 0.3);
    out.places.push_back(
        {Place::Ground::floor, {translation({px, py, 0}) * rotation({0, 0, 1}, turn), 1.15}});
  }
  for (const double side : {-1.0, 1.0}) {
    // One lane each way; the site's x axis is along the lane in driving direction.
    const double px = -side * style.between(0.4, 2.2);
    const double py = kRoad - side * kWide / 4 + bend * px * px / 2;
    const double heading = bend * px;  // slope of the road, small
    Pose pose = rotation({0, 0, 1}, side > 0 ? heading : heading + kPi);
    pose.t = {px, py, 0.012};

    out.places.push_back({Place::Ground::road, {pose, 1, side * bend}});
  }
  for (const double cx : {-3.6, 3.6}) {
    out.clutter.push_back({translation({cx, 1.9, 0}), 1});
  }

  const double sun_x = style.between(-0.8, 0.8), sun_y = style.between(-0.9, -0.25);
  world.light.place = normalized({sun_x, sun_y, style.between(0.7, 1.2)});
  world.light.colour = Vec3{1.05, 0.98, 0.88} * style.between(0.85, 1.1);
  world.light.sky = Vec3{0.30, 0.36, 0.46} * style.between(0.8, 1.1);
  world.light.ground = Vec3{0.20, 0.20, 0.17} * style.between(0.8, 1.1);
  const double grey_sky = style.random.uniform();
  world.sky = Vec3{0.20, 0.38, 0.75} * (1 - grey_sky) + Vec3{0.55, 0.62, 0.72} * grey_sky;
  world.horizon = {0.74, 0.80, 0.86};
  const double eye_x = style.between(-2, 2);
  out.eye = {eye_x, -3.4, style.between(1.5, 2.4)};
  out.target = {0, 4, 3.4};
  out.low_fov = 42;
  out.high_fov = 58;
  return out;
}

}  // namespace momap::synthetic
