// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/random.h>
#include <momap/data/geometry.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <scenes.h>
#include <tbb/global_control.h>

#include <cmath>
#include <limits>

namespace {

using momap::testing::context;

momap::PartialClip warp(const momap::Image& image, const momap::MoMap& momap,
                        const std::string& params = "{}") {
  return momap::testing::make_plugin<momap::Warper>("warping/mesh", params)
      ->warp(image, momap, context());
}

momap::MoMap wall(int64_t frames, int64_t height, int64_t width, float depth) {
  const momap::Camera camera{
      100,   100,   0.5 * static_cast<double>(width - 1), 0.5 * static_cast<double>(height - 1),
      width, height};
  const at::Tensor points = momap::unproject(at::full({height, width}, depth), camera);
  return {points.expand({frames, height, width, 3}).clone(),
          at::ones({frames, height, width}, at::kBool), at::ones({height, width}, at::kBool),
          camera};
}

momap::Image noise_image(int64_t height, int64_t width) {
  momap::Random random(5);
  at::Tensor rgb = at::empty({height, width, 3}, at::kByte);
  for (int64_t i = 0; i < rgb.numel(); ++i) {
    rgb.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(random.below(256));
  }
  return {rgb};
}

int64_t count(const at::Tensor& mask) { return mask.sum().item<int64_t>(); }

TEST(Mesh, GivesTheImageBackWhenNothingMoves) {
  for (const auto& [height, width] : {std::pair{24, 32}, std::pair{2, 2}, std::pair{7, 13}}) {
    const momap::Image image = noise_image(height, width);
    const momap::PartialClip out = warp(image, wall(2, height, width, 2.0f));
    EXPECT_TRUE(out.covered.all().item<bool>());
    EXPECT_TRUE(at::equal(out.frames[1], image.rgb));
    EXPECT_TRUE(at::allclose(out.depth, at::full_like(out.depth, 2.0f)));
    EXPECT_EQ(count(out.dropped), 0);
  }
}

TEST(Mesh, ASinglePixelHasNoSurface) {
  const momap::PartialClip out = warp(noise_image(1, 1), wall(1, 1, 1, 2.0f));
  EXPECT_FALSE(out.covered.any().item<bool>());
  EXPECT_EQ(out.dropped[0][static_cast<int64_t>(momap::DropReason::too_small)].item<int64_t>(), 1);
}

TEST(Mesh, MagnifiesWithoutCracks) {
  const momap::Image image = noise_image(48, 64);
  for (const float scale : {1.3f, 2.0f, 3.7f}) {
    momap::MoMap map = wall(1, 48, 64, 4.0f);
    map.xyz.select(-1, 2).div_(scale);
    EXPECT_TRUE(warp(image, map).covered.all().item<bool>()) << "magnified " << scale << " times";
  }
}

TEST(Mesh, InterpolatesAlongATiltedSurface) {
  // Two rows and two columns of points: a plank from 1 m to 1.4 m, 100 px wide on the image. At its
  // middle on the image the far end has the smaller share: 1 / 1.4 against 1 / 1.
  momap::MoMap map = wall(1, 2, 2, 1.0f);
  const momap::Camera view{100, 100, 0, 0, 41, 3};
  auto xyz = map.xyz.accessor<float, 4>();
  for (int64_t y = 0; y < 2; ++y) {
    const auto v = static_cast<float>(2 * y);
    xyz[0][y][0][0] = 0;
    xyz[0][y][0][1] = v / 100;
    xyz[0][y][1][0] = 40.0f / 100 * 1.4f;
    xyz[0][y][1][1] = v / 100 * 1.4f;
    xyz[0][y][1][2] = 1.4f;
  }
  const momap::Image image{at::zeros({2, 2, 3}, at::kByte)};
  image.rgb.select(1, 1).fill_(240);
  const auto plugin = momap::testing::make_plugin<momap::Warper>(
      "warping/mesh", "{max_edge_px: 64, edge_tolerance: 0.5}");
  const momap::PartialClip out = plugin->warp(image, map, {view, std::nullopt}, context());
  EXPECT_TRUE(out.covered.all().item<bool>());
  EXPECT_NEAR(out.depth[0][1][20].item<float>(), 2 / (1 + 1 / 1.4), 1e-4);
  EXPECT_EQ(out.frames[0][1][20][0].item<int>(), 100);  // 240 * (1 / 1.4) / (1 + 1 / 1.4)
}

TEST(Mesh, IsCutAtADepthEdge) {
  const momap::Image image = noise_image(16, 40);
  image.rgb.slice(1, 0, 20).fill_(0);
  image.rgb.slice(1, 20, 40).fill_(255);
  momap::MoMap map = wall(2, 16, 40, 4.0f);
  map.xyz.copy_(
      momap::unproject(at::cat({at::full({16, 20}, 2.0f), at::full({16, 20}, 4.0f)}, 1), map.camera)
          .expand_as(map.xyz));
  map.xyz[1].slice(1, 0, 20).select(-1, 0).sub_(5 * 2.0 / 100);
  const momap::PartialClip out = warp(image, map);
  at::Tensor expected = at::ones({16, 40}, at::kBool);
  expected.slice(1, 15, 20).fill_(false);
  EXPECT_TRUE(at::equal(out.covered[1], expected));
  EXPECT_TRUE((out.frames[1].slice(1, 0, 15) == 0).all().item<bool>());
  EXPECT_TRUE((out.frames[1].slice(1, 20, 40) == 255).all().item<bool>());
}

TEST(Mesh, LetsTheNearerSurfaceHideTheFarther) {
  const momap::Image image = noise_image(30, 60);
  image.rgb.slice(1, 0, 10).fill_(200);
  momap::MoMap map = wall(1, 30, 60, 4.0f);
  at::Tensor depth = at::full({30, 60}, 4.0f);
  depth.slice(1, 0, 10).fill_(2.0f);
  map.xyz.copy_(momap::unproject(depth, map.camera));
  map.xyz[0].slice(1, 0, 10).select(-1, 0).add_(25 * 2.0 / 100);
  const momap::PartialClip out = warp(image, map);
  EXPECT_TRUE((out.frames[0].slice(1, 25, 35) == 200).all().item<bool>());
  EXPECT_TRUE(at::equal(out.frames[0].slice(1, 35, 60), image.rgb.slice(1, 35, 60)));
  EXPECT_EQ(out.dropped[0][static_cast<int64_t>(momap::DropReason::hidden)].item<int64_t>(),
            30 * 10);
  EXPECT_EQ(count(out.covered.logical_not()), 30 * 10);
}

TEST(Mesh, CountsWhatItCannotDrawAndStaysFinite) {
  const momap::Image image = noise_image(8, 8);
  momap::MoMap map = wall(1, 8, 8, 2.0f);
  auto xyz = map.xyz.accessor<float, 4>();
  xyz[0][0][0][2] = -2.0f;
  xyz[0][0][7][2] = 0.0f;
  xyz[0][7][0][0] = std::numeric_limits<float>::quiet_NaN();
  xyz[0][7][7][2] = std::numeric_limits<float>::infinity();
  xyz[0][3][0][0] = 3e38f;
  xyz[0][5][7][2] = 1e-38f;
  const momap::PartialClip out = warp(image, map, "{unknown_depth: hole}");
  EXPECT_TRUE(out.dropped.view(-1).equal(at::tensor({0, 0, 2, 2, 2, 0, 0}, at::kLong)))
      << out.dropped;
  EXPECT_EQ(count(out.covered), 64 - 6);
  EXPECT_TRUE(out.depth.isfinite().all().item<bool>());
  map.valid.fill_(false);
  const momap::PartialClip nothing = warp(image, map);
  EXPECT_FALSE(nothing.covered.any().item<bool>());
  EXPECT_EQ(count(nothing.dropped), 64);
}

TEST(Mesh, GivesTheSameBytesForAnyNumberOfThreads) {
  const momap::Clip clip = momap::testing::moving_square();
  const momap::PartialClip many = warp(clip.image(0), clip.truth.at(0).motion);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const momap::PartialClip single = warp(clip.image(0), clip.truth.at(0).motion);
  EXPECT_TRUE(at::equal(many.frames, single.frames));
  EXPECT_TRUE(at::equal(many.depth, single.depth));
  EXPECT_TRUE(at::equal(many.dropped, single.dropped));
}

}  // namespace
