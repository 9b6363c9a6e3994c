// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kinds.h"

// A flag on a pole: waves travel from the pole to the free edge and grow on the way.

namespace momap::synthetic {
namespace {

constexpr int kAcross = 24, kDown = 8;  // cells of the cloth

class Flag final : public Mover {
 public:
  Motion move(const World& world, const Choice& choice, const Clock& clock) const override {
    const Part& cloth = world.parts[static_cast<size_t>(parts.at(0))];
    Motion motion;
    for (int64_t t = 0; t < clock.frames; ++t) {
      motion.poses.push_back(cloth.rest);
      const double s = clock.since(t, choice.delay);
      for (int j = 0; j <= kDown; ++j) {
        for (int i = 0; i <= kAcross; ++i) {
          motion.cloth.push_back(cloth.rest.apply(point(i, j, s, choice.speed)));
        }
      }
    }
    return motion;
  }

  /// A point of the cloth after s seconds of wind, part frame: x from the pole, y across.
  Vec3 point(int i, int j, double s, double speed) const {
    const double u = static_cast<double>(i) / kAcross, v = static_cast<double>(j) / kDown;
    const double rate = 2.0 + 2.6 * speed;                           // rad/s
    const double swell = 1 + 0.16 * speed * std::min(s / 0.5, 1.0);  // the wind gets up
    const double phase = waves * 2 * kPi * u + 0.6 * v + first_phase - rate * s;
    const double deep = 0.11 * width * u * swell;
    const double y = deep * sine(phase);
    // The cloth is not stretched much: where it waves, it reaches less far.
    const double x = width * u * (1 - 0.05 * u * swell) * side;
    return {x, y, -height * v - 0.06 * width * u * u + 0.25 * deep * sine(phase * 0.5 + 1)};
  }

  Telling tell(int) const override {
    return {"wave", {"waves", "flutters", "waves in the wind", "ripples"}, false, ""};
  }

  double width = 1, height = 0.6, side = 1, waves = 1.2, first_phase = 0;
};

}  // namespace

std::unique_ptr<Mover> build_flag(World& world, const Site& site, Style& style) {
  auto flag = std::make_unique<Flag>();
  flag->kind = flag->noun = "flag";
  const double s = site.scale;
  flag->width = (0.95 + 0.4 * style.proportion()) * s;
  flag->height = flag->width * (0.5 + 0.2 * style.proportion());
  flag->side = style.coin() ? 1 : -1;
  flag->waves = style.between(0.9, 1.5);
  flag->first_phase = style.between(0, 2 * kPi);
  const Colour colour = style.colour();
  flag->colour = colour.name;
  static constexpr std::array<Look, 5> kAmong{Look::stripes, Look::checker, Look::zigzag,
                                              Look::dots, Look::fabric};
  const Vec3 second = colour.name == "white" ? Vec3{0.1, 0.15, 0.5} : Vec3{0.84, 0.82, 0.78};
  const int cloth = world.add(Material{kAmong[static_cast<size_t>(style.design())], style.variant(),
                                       colour.rgb, second, 1.1 * flag->height});
  const int metal = world.add(style.plain({0.62, 0.62, 0.64}));
  const int foot = world.add(style.plain(style.quiet() * 0.6));
  const double high = (1.9 + 0.5 * style.proportion()) * s;
  const int pole = world.add_segment("pole");
  Mesh post = cylinder(0.03 * s, 0.022 * s, high, metal, 12);
  post.add(sphere(0.045 * s, metal, 7), translation({0, 0, high}));
  post.add(cylinder(0.16 * s, 0.12 * s, 0.08 * s, foot, 16));
  world.add(std::move(post), pole, site.pose);
  world.obstacles.push_back({site.pose * translation({0, 0, high / 2}), {0.1 * s, 0.1 * s, high}});

  Mesh sheet;
  for (int j = 0; j <= kDown; ++j) {
    for (int i = 0; i <= kAcross; ++i) {
      sheet.vertices.push_back({flag->point(i, j, 0, 0),
                                {0, -1, 0},
                                flag->width * i / kAcross,
                                flag->height * j / kDown});
    }
  }
  const uint32_t row = kAcross + 1;
  for (uint32_t j = 0; j < kDown; ++j) {
    for (uint32_t i = 0; i < kAcross; ++i) {
      const uint32_t a = j * row + i;
      sheet.triangles.push_back({{a, a + row, a + 1}, cloth});
      sheet.triangles.push_back({{a + 1, a + row, a + row + 1}, cloth});
    }
  }
  flag->segment = world.add_segment("flag");
  const Pose top = site.pose * translation({flag->side * 0.026 * s, 0, high - 0.06 * s});
  flag->parts = {world.add(std::move(sheet), flag->segment, top, true)};
  world.parts[static_cast<size_t>(flag->parts[0])].cloth = true;
  flag->may_rest = false;
  return flag;
}

}  // namespace momap::synthetic
