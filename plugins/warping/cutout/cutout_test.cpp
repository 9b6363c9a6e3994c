// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/stage/warper.h>

#include "plugin_fixture.h"

namespace {

using momap::testing::context;

momap::PartialClip cut(const std::string& params, uint64_t seed = 1, int64_t frames = 2) {
  const int64_t height = 120, width = 160;
  const momap::Image image{at::randint(0, 256, {height, width, 3}, at::kByte)};
  const momap::Camera camera{100, 100, 80, 60, width, height};
  const momap::MoMap still{at::ones({frames, height, width, 3}),
                           at::ones({frames, height, width}, at::kBool),
                           at::ones({height, width}, at::kBool), camera};
  momap::PartialClip partial = momap::testing::make_plugin<momap::Warper>("warping/cutout", params)
                                   ->warp(image, still, context(seed));
  for (int64_t t = 0; t < frames; ++t) EXPECT_TRUE(at::equal(partial.frames[t], image.rgb));
  return partial;
}

double share_of(const at::Tensor& covered) {
  return 1 - covered.to(at::kFloat).mean().item<double>();
}

TEST(Cutout, CutsAsMuchAsAskedFromEveryFrame) {
  for (const double share : {0.05, 0.15, 0.5}) {
    const auto partial = cut("{share: " + std::to_string(share) + ", radius_px: 30}");
    for (int64_t t = 0; t < 2; ++t) {
      EXPECT_GE(share_of(partial.covered[t]), share);
      EXPECT_LT(share_of(partial.covered[t]), share + 0.07);
    }
    EXPECT_FALSE(at::equal(partial.covered[0], partial.covered[1]));
  }
}

TEST(Cutout, HolesAreNoWiderThanTheWay) {
  // A crescent is at most as wide along the way as the way is long; so no square fits in that is
  // larger. One crescent alone: more may touch.
  const auto partial = cut("{share: 0.001, least_px: 6, most_px: 6, radius_px: 40}");
  const at::Tensor holes = partial.covered[0].logical_not().to(at::kFloat).view({1, 1, 120, 160});
  EXPECT_EQ(at::avg_pool2d(holes, {7, 7}, {1, 1}).eq(1).sum().item<int64_t>(), 0);
  EXPECT_GT(at::avg_pool2d(holes, {3, 3}, {1, 1}).eq(1).sum().item<int64_t>(), 0);
}

TEST(Cutout, TheSameSeedCutsTheSame) {
  EXPECT_TRUE(at::equal(cut("{}", 4).covered, cut("{}", 4).covered));
  EXPECT_FALSE(at::equal(cut("{}", 4).covered, cut("{}", 5).covered));
}

TEST(Cutout, AnotherViewIsRefused) {
  const momap::Camera camera{100, 100, 8, 6, 16, 12};
  const momap::Image image{at::zeros({12, 16, 3}, at::kByte)};
  const momap::MoMap still{at::ones({1, 12, 16, 3}), at::ones({1, 12, 16}, at::kBool),
                           at::ones({12, 16}, at::kBool), camera};
  const auto warper = momap::testing::make_plugin<momap::Warper>("warping/cutout", "{}");
  EXPECT_THROW(warper->warp(image, still, {{100, 100, 8, 6, 8, 12}, {}}, context()),
               momap::DataError);
  EXPECT_THROW(
      momap::testing::make_plugin<momap::Warper>("warping/cutout", "{least_px: 9, most_px: 8}"),
      momap::ConfigError);
}

}  // namespace
