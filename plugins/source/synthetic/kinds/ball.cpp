// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "../physics.h"
#include "kinds.h"

// A ball that rolls on the ground, rolls down a ramp, falls and bounces, or runs into another one.

namespace momap::synthetic {
namespace {

class Ball final : public Mover {
 public:
  enum class Act { roll, ramp, bounce, collide };

  Motion move(const World& world, const Choice& choice, const Clock& clock) const override {
    const double side =
        act == Act::roll || act == Act::bounce ? (choice.option == 0 ? -1 : 1) : way;
    const double rate =
        (act == Act::ramp ? 0.1 : 0.5) + (act == Act::bounce ? 0.5 : 0.85) * choice.speed;
    std::vector<Body> bodies;
    for (size_t i = 0; i < parts.size(); ++i) {
      Body body;
      body.ball = true;
      body.size.x = radius[i];
      body.start = world.parts[static_cast<size_t>(parts[i])].rest;
      body.bounce = 0.75;
      body.rolling = 0.002;
      if (i == 0) {
        body.velocity = along * (side * rate * std::sqrt(scale));
        // Rolling without slip; a ball in the air spins a little.
        body.spin = cross({0, 0, 1}, body.velocity) * ((act == Act::bounce ? 0.4 : 1) / radius[0]);
      }
      bodies.push_back(body);
    }
    const auto first = static_cast<int64_t>(std::ceil(choice.delay * clock.fps));
    return {simulate(world.obstacles, bodies, 4 * radius[0], clock, first), {}};
  }

  Telling tell(int) const override {
    if (act == Act::bounce)
      return {"bounce", {"bounces", "drops and bounces", "falls and bounces"}, true, ""};
    if (act == Act::ramp) return {"roll", {"rolls down the ramp", "rolls off the ramp"}, true, ""};
    if (act == Act::collide) {
      return {"roll", {"rolls into the other ball", "rolls and hits the other ball"}, true, ""};
    }
    return {"roll", {"rolls", "rolls away", "starts to roll"}, true, ""};
  }

  Act act = Act::roll;
  std::vector<double> radius;  // of each ball, metres
  Vec3 along;                  // unit, world: direction of way = +1
  double way = 1;
  double scale = 1;
};

}  // namespace

std::unique_ptr<Mover> build_ball(World& world, const Site& site, Style& style) {
  auto ball = std::make_unique<Ball>();
  ball->kind = ball->noun = "ball";
  const double s = site.scale;
  const double radius = (0.13 + 0.12 * style.proportion()) * s;
  const Colour colour = style.colour();
  ball->colour = colour.name;
  // A plain ball would not show how it turns.
  static constexpr std::array<Look, 4> kAmong{Look::stripes, Look::checker, Look::dots,
                                              Look::zigzag};
  const Vec3 second = colour.name == "white" || colour.name == "yellow" ? Vec3{0.08, 0.08, 0.12}
                                                                        : Vec3{0.85, 0.82, 0.74};
  const Look look = kAmong[static_cast<size_t>(style.random.below(kAmong.size()))];
  const int own = world.add(Material{look, style.variant(), colour.rgb, second, 3.2 * radius});
  ball->scale = s;
  ball->radius = {radius};
  ball->along = site.pose.rotate({1, 0, 0});
  ball->way = style.coin() ? 1 : -1;
  ball->act = static_cast<Ball::Act>(style.random.below(4));
  Vec3 start{0, 0, radius + 0.002 * s};
  if (ball->act == Ball::Act::ramp) {
    const double length = 1.1 * s, height = 0.4 * s, wide = 0.42 * s;
    const int wood = world.add(style.wood(0.5 * s));
    const int segment = world.add_segment("ramp");
    const double w = ball->way;  // down this way
    std::vector<std::array<double, 2>> outline{
        {-w * length / 2, 0}, {w * length / 2, 0}, {-w * length / 2, height}};
    world.add(prism(outline, wide, wood), segment, site.pose);
    const double slope = std::sqrt(length * length + height * height);
    const Vec3 down{w * length / slope, 0, -height / slope},
        up{w * height / slope, 0, length / slope};
    Pose tilt;
    tilt.rows = {{{down.x, 0, up.x}, {0, 1, 0}, {down.z, 0, up.z}}};
    if (w < 0) tilt.rows = {{{-down.x, 0, up.x}, {0, 1, 0}, {-down.z, 0, up.z}}};
    const Vec3 middle{0, 0, height / 2};
    tilt.t = middle - up * (0.05 * s);
    world.obstacles.push_back({site.pose * tilt, {slope, wide, 0.1 * s}});
    start = middle + up * (radius + 0.002 * s) - down * (0.38 * slope);
    ball->along = site.pose.rotate(down * w);
    ball->options = 1;
  } else if (ball->act == Ball::Act::collide) {
    const double other = radius * style.between(0.8, 1.15);
    const double distance = style.between(0.35, 0.6) * s + radius + other;
    const int second_material = world.add(style.painted(style.colour(), 3 * other));
    ball->radius.push_back(other);
    start.x = -ball->way * distance / 2;
    const int segment = world.add_segment("ball");
    const Pose place = site.pose * translation({ball->way * distance / 2, 0, other + 0.002 * s});
    const int part = world.add(sphere(other, second_material, 11), segment, place, true);
    ball->parts.push_back(part);
  } else {
    ball->options = 2;
    if (ball->act == Ball::Act::bounce) {
      start.z += style.between(0.5, 1.0) * s;
      ball->may_rest = ball->may_wait = false;
    }
  }
  if (ball->act == Ball::Act::ramp) ball->may_rest = false;
  ball->segment = world.add_segment("ball");
  const double turn = style.between(0, 2 * kPi), tip = style.between(0, kPi);
  const Pose rest =
      site.pose * translation(start) * rotation({0, 0, 1}, turn) * rotation({1, 0, 0}, tip);
  ball->parts.insert(ball->parts.begin(),
                     world.add(sphere(radius, own, 12), ball->segment, rest, true));
  return ball;
}

}  // namespace momap::synthetic
