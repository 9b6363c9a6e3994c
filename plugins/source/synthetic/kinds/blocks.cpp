// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "../physics.h"
#include "kinds.h"

// A leaning stack that falls the way it leans, a tower that is pushed, or a row of dominoes that is
// pushed at one end.

namespace momap::synthetic {
namespace {

class Blocks final : public Mover {
 public:
  enum class Act { lean, tower, dominoes };

  Motion move(const World& world, const Choice& choice, const Clock& clock) const override {
    const double side = act == Act::lean ? way : (choice.option == 0 ? -1 : 1);
    const size_t count = parts.size();
    std::vector<Body> bodies;
    for (size_t i = 0; i < count; ++i) {
      Body body;
      body.size = size;
      body.start = world.parts[static_cast<size_t>(parts[i])].rest;
      body.friction = 0.55;
      const double high = static_cast<double>(i) / static_cast<double>(count);
      const Vec3 axis = cross({0, 0, 1}, along);  // a positive turn falls along
      const double root = std::sqrt(scale);
      if (act == Act::lean) {
        body.velocity = along * (side * high * (0.1 + 0.45 * choice.speed) * root);
      } else if (act == Act::tower) {
        body.velocity = along * (side * high * (0.7 + 0.6 * choice.speed) * root);
      } else if (i == (side > 0 ? 0 : count - 1)) {
        const double rate = (1.6 + 1.1 * choice.speed) / root;
        body.spin = axis * (side * rate);
        body.velocity = along * (side * rate * size.z / 2);
      }
      bodies.push_back(body);
    }
    const auto first = static_cast<int64_t>(std::ceil(choice.delay * clock.fps));
    return {simulate(world.obstacles, bodies, size.z, clock, first), {}};
  }

  Telling tell(int) const override {
    if (act == Act::dominoes)
      return {"topple", {"topple", "fall one after another", "tip over"}, true, ""};
    return {"topple", {"topples", "falls over", "tips over", "collapses"}, true, ""};
  }

  Act act = Act::lean;
  Vec3 size;   // of a block, metres
  Vec3 along;  // unit, world
  double way = 1, scale = 1;
};

}  // namespace

std::unique_ptr<Mover> build_blocks(World& world, const Site& site, Style& style) {
  auto blocks = std::make_unique<Blocks>();
  blocks->kind = "blocks";
  const double s = site.scale;
  blocks->scale = s;
  blocks->along = site.pose.rotate({1, 0, 0});
  blocks->way = style.coin() ? 1 : -1;
  blocks->act = static_cast<Blocks::Act>(style.random.below(3));
  const bool row = blocks->act == Blocks::Act::dominoes;
  blocks->noun = row ? "dominoes" : "tower of blocks";
  const double unit = (0.2 + 0.06 * style.proportion()) * s;
  blocks->size =
      row ? Vec3{0.28 * unit, 0.9 * unit, 1.7 * unit} : Vec3{1.15 * unit, 0.95 * unit, 0.75 * unit};
  const int count = (row ? 5 : 4) + static_cast<int>(style.random.below(row ? 3 : 2));
  blocks->segment = world.add_segment(row ? "dominoes" : "blocks");
  const bool one_colour = row && style.coin();
  const Colour colour = style.colour();
  if (one_colour) blocks->colour = colour.name;
  for (int i = 0; i < count; ++i) {
    const Colour own = one_colour ? colour : style.colour();
    const int material = world.add(style.painted(own, 0.9 * unit));
    Vec3 at{0, 0, blocks->size.z / 2 + 0.001 * s};
    double turn = 0;
    if (row) {
      at.x = (i - (count - 1) / 2.0) * 0.85 * unit;
    } else {
      at.z += i * (blocks->size.z + 0.0005 * s);
      if (blocks->act == Blocks::Act::lean) {
        at.x = blocks->way * i * 0.34 * blocks->size.x;
      } else {
        turn = style.between(-0.12, 0.12);
      }
    }
    const double u = style.random.uniform(), v = style.random.uniform();
    const Pose rest = site.pose * translation(at) * rotation({0, 0, 1}, turn);
    blocks->parts.push_back(
        world.add(box(blocks->size, material).shift_texture(u, v), blocks->segment, rest, true));
  }
  blocks->options = blocks->act == Blocks::Act::lean ? 1 : 2;
  blocks->may_rest = blocks->act != Blocks::Act::lean;
  blocks->may_wait = blocks->may_rest;
  return blocks;
}

}  // namespace momap::synthetic
