// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "kinds/kinds.h"
#include "renderer.h"
#include "scene.h"

namespace momap::synthetic {
namespace {

TEST(SyntheticWorld, SineAgreesWithTheLibrary) {
  for (int i = -4000; i <= 4000; ++i) {
    const double x = i * 0.0173;
    ASSERT_NEAR(sine(x), std::sin(x), 1e-13) << x;
    ASSERT_NEAR(cosine(x), std::cos(x), 1e-13) << x;
  }
}

TEST(SyntheticWorld, PosesComposeAndInvert) {
  const Pose a = translation({1, 2, 3}) * rotation(normalized({1, 2, -1}), 0.7);
  const Pose b = rotation_about({3, 0, 1}, {0, 0, 1}, -2.1);
  const Vec3 p{0.3, -4, 2};
  EXPECT_LT(length((a * b).apply(p) - a.apply(b.apply(p))), 1e-14);
  EXPECT_LT(length(a.inverse().apply(a.apply(p)) - p), 1e-14);
  EXPECT_LT(length(b.apply({3, 0, 9}) - Vec3{3, 0, 9}), 1e-14);
}

TEST(SyntheticWorld, SplitsDrawFromDisjointSets) {
  std::array<std::set<std::pair<int, int>>, 3> textures;
  std::array<std::set<int>, 3> designs;
  for (const Split split : {Split::train, Split::val, Split::test}) {
    const auto s = static_cast<size_t>(split);
    Order order;
    order.split = split;
    for (uint64_t seed = 0; seed < 40; ++seed) {
      const Scene scene = make_scene(order, seed);
      for (const Material& material : scene.world->materials) {
        textures[s].insert({static_cast<int>(material.look), material.variant});
      }
    }
    Random random(1);
    Style style(split, random);
    for (int i = 0; i < 200; ++i) designs[s].insert(style.design());
  }
  for (size_t a = 0; a < 3; ++a) {
    EXPECT_GT(textures[a].size(), 10U);
    for (size_t b = 0; b < a; ++b) {
      for (const auto& texture : textures[a]) EXPECT_FALSE(textures[b].contains(texture));
      for (const int design : designs[a]) EXPECT_FALSE(designs[b].contains(design));
    }
  }
  EXPECT_EQ(designs[0], (std::set{0, 1, 2}));
}

TEST(SyntheticWorld, EveryKindAppearsAndScenesHoldAsManyMoversAsAsked) {
  std::set<std::string> kinds, settings;
  std::set<size_t> counts;
  Order order;
  for (uint64_t seed = 0; seed < 80; ++seed) {
    const Scene scene = make_scene(order, seed);
    counts.insert(scene.world->movers.size());
    settings.insert(scene.world->setting);
    for (const auto& mover : scene.world->movers) kinds.insert(mover->kind);
  }
  EXPECT_EQ(kinds.size(), kKinds.size());
  EXPECT_EQ(settings.size(), 3U);
  EXPECT_EQ(counts, (std::set<size_t>{1, 2, 3, 4, 5}));
}

TEST(SyntheticWorld, SizeAndLengthDoNotChangeWhatStandsInAScene) {
  Order small, large;
  small.height = small.width = 8;
  small.clock = {2, 12};
  const Scene a = make_scene(small, 11), b = make_scene(large, 11);
  ASSERT_EQ(a.world->parts.size(), b.world->parts.size());
  for (size_t i = 0; i < a.world->parts.size(); ++i) {
    EXPECT_EQ(a.world->parts[i].rest, b.world->parts[i].rest);
    EXPECT_EQ(a.world->parts[i].segment, b.world->parts[i].segment);
  }
}

TEST(SyntheticWorld, EveryChoiceStartsFromTheSceneAsItStands) {
  const Clock clock{3, 24};
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Scene scene = make_scene({}, seed);
    for (const auto& mover : scene.world->movers) {
      for (int option = 0; option < mover->options; ++option) {
        for (const double delay : {0.0, 0.2}) {
          const Motion motion = mover->move(*scene.world, {true, 2.9, delay, option}, clock);
          ASSERT_EQ(motion.poses.size(), 3 * mover->parts.size());
          for (size_t k = 0; k < mover->parts.size(); ++k) {
            const Part& part = scene.world->parts[static_cast<size_t>(mover->parts[k])];
            EXPECT_EQ(motion.poses[k], part.rest) << mover->kind;
            for (size_t v = 0; v < motion.cloth.size() / 3; ++v) {
              EXPECT_EQ(motion.cloth[v], part.rest.apply(part.mesh.vertices[v].point));
            }
          }
        }
      }
    }
  }
}

TEST(SyntheticWorld, MotionsAreRigid) {
  const Clock clock{24, 24};
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Scene scene = make_scene({}, seed);
    for (const auto& mover : scene.world->movers) {
      for (const Pose& pose : mover->move(*scene.world, {true, 2.5, 0, 0}, clock).poses) {
        const auto& [a, b, c] = pose.rows;
        EXPECT_NEAR(dot(a, a), 1, 1e-12);
        EXPECT_NEAR(dot(b, b), 1, 1e-12);
        EXPECT_NEAR(dot(a, b), 0, 1e-12);
        EXPECT_NEAR(dot(cross(a, b), c), 1, 1e-12);
      }
    }
  }
}

TEST(SyntheticWorld, RaysAgreeWithASphereAndAPlane) {
  World world;
  const int grey = world.add(Material{});
  world.add_background(rectangle({-10, 5, -10}, {20, 0, 0}, {0, 0, 20}, grey));
  world.add_background(sphere(1, grey, 64), translation({0, 3, 0}));
  const RayDevice device;
  const StageSet stage(device, world);
  const Patterns patterns;
  View view;
  view.camera = {32, 32, 31.5, 23.5, 64, 48};
  Pose looking;  // along y, x right, z up
  looking.rows = {{{1, 0, 0}, {0, 0, -1}, {0, 1, 0}}};
  view.cam_from_world = {looking};
  Renderer renderer(stage, patterns, view);
  std::vector<uint8_t> rgb(3 * 64 * 48);
  renderer.paint(0, rgb.data());
  int on_sphere = 0;
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 64; ++x) {
      const double dx = (x - 31.5) / 32, dy = (y - 23.5) / 32, a = dx * dx + dy * dy + 1;
      const double root = 9 - a * 8;  // (d . c)^2 - |d|^2 (|c|^2 - 1), with c = (0, 0, 3)
      const float depth = renderer.depth()[static_cast<size_t>(y * 64 + x)];
      if (root > 0.2) {
        ++on_sphere;
        EXPECT_NEAR(depth, (3 - std::sqrt(root)) / a, 5e-3);  // a sphere of flat triangles
      } else if (root < -0.2) {
        EXPECT_FLOAT_EQ(depth, 5);
      }
    }
  }
  EXPECT_GT(on_sphere, 100);
}

TEST(SyntheticWorld, PatternsTileAndTheirMipsKeepTheMean) {
  for (int look = 0; look < kLooks; ++look) {
    const Pattern pattern(static_cast<Look>(look), 3);
    double sum = 0;
    for (int i = 0; i < Pattern::kSize * Pattern::kSize; ++i) {
      const float u = (static_cast<float>(i % Pattern::kSize) + 0.5F) / Pattern::kSize;
      const float v = (static_cast<float>(i / Pattern::kSize) + 0.5F) / Pattern::kSize;
      sum += pattern.at(u, v, 0)[1];
      if (i < 50) {
        EXPECT_NEAR(pattern.at(u, v, 0)[0], pattern.at(u + 1, v - 2, 0)[0], 1e-3);
      }
    }
    EXPECT_NEAR(pattern.at(0.3F, 0.7F, 100)[1], sum / Pattern::kSize / Pattern::kSize, 0.02)
        << look;
  }
}

}  // namespace
}  // namespace momap::synthetic
