// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <tbb/global_control.h>

#include <cmath>
#include <map>

#include "../scikit_image.h"

namespace {

constexpr double kC1 = 6.5025, kC2 = 58.5225;  // (0.01 * 255)^2, (0.03 * 255)^2

std::map<std::string, momap::ScoreValue> score(const momap::Clip& result,
                                               const momap::Clip& reference) {
  const momap::Datum a = result, b = reference;
  momap::Inputs inputs;
  inputs.add("result", {&a});
  inputs.add("reference", {&b});
  std::map<std::string, momap::ScoreValue> out;
  for (const auto& value : momap::testing::make_plugin<momap::Metric>("metric/ssim")
                               ->score(inputs, momap::testing::context())
                               .values) {
    EXPECT_EQ(value.value.has_value(), value.undefined_reason.empty());
    out[value.name] = value;
  }
  return out;
}

momap::Clip plain(int64_t frames, int64_t height, int64_t width, int64_t level) {
  momap::Clip clip;
  clip.frames = at::full({frames, height, width, 3}, level, at::kByte);
  return clip;
}

momap::Clip noise(int64_t frames, int64_t height, int64_t width, uint32_t state) {
  momap::Clip clip = plain(frames, height, width, 0);
  for (int64_t i = 0; i < clip.frames.numel(); ++i) {
    clip.frames.data_ptr<uint8_t>()[i] =
        static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  }
  return clip;
}

/// The definition, with all 121 weights of the window, at one pixel of one channel.
double by_definition(const at::Tensor& a, const at::Tensor& b, int64_t y, int64_t x, int64_t c) {
  double weights = 0, ma = 0, mb = 0, va = 0, vb = 0, cov = 0;
  for (int pass = 0; pass < 2; ++pass) {  // means, then central moments
    for (int64_t v = -5; v <= 5; ++v) {
      for (int64_t u = -5; u <= 5; ++u) {
        const double w = std::exp(-static_cast<double>(u * u + v * v) / (2 * 1.5 * 1.5));
        const double pa = a[y + v][x + u][c].item<double>(), pb = b[y + v][x + u][c].item<double>();
        if (pass == 0) {
          weights += w, ma += w * pa, mb += w * pb;
        } else {
          va += w * (pa - ma) * (pa - ma), vb += w * (pb - mb) * (pb - mb);
          cov += w * (pa - ma) * (pb - mb);
        }
      }
    }
    if (pass == 0) ma /= weights, mb /= weights;
  }
  va /= weights, vb /= weights, cov /= weights;
  return (2 * ma * mb + kC1) * (2 * cov + kC2) / ((ma * ma + mb * mb + kC1) * (va + vb + kC2));
}

TEST(Ssim, OfTwoPlainPicturesIsTheLuminanceTerm) {
  auto values = score(plain(2, 16, 20, 100), plain(2, 16, 20, 150));
  EXPECT_NEAR(*values["ssim_all"].value, (2 * 100 * 150 + kC1) / (100 * 100 + 150 * 150 + kC1),
              1e-12);
}

TEST(Ssim, OfASinglePointEqualsTheHandWorkedValue) {
  // One white point in the only window against black. The centre weight of the window is g, so the
  // mean is 255 g and the variance 255^2 g (1 - g); all products with black vanish.
  momap::Clip result = plain(2, 11, 11, 0);
  result.frames[1][5][5].fill_(255);
  double sum = 0;
  for (int k = -5; k <= 5; ++k) sum += std::exp(-k * k / 4.5);
  const double g = 1 / (sum * sum);
  const double mean = 255 * g, variance = 255.0 * 255.0 * g * (1 - g);
  auto values = score(result, plain(2, 11, 11, 0));
  EXPECT_NEAR(*values["ssim_all"].value, kC1 / (mean * mean + kC1) * kC2 / (variance + kC2), 1e-12);
}

TEST(Ssim, FollowsItsDefinitionOnEveryRegion) {
  momap::Clip a = noise(3, 13, 15, 1);
  const momap::Clip b = noise(3, 13, 15, 2);
  a.covered = a.frames.select(-1, 0).gt(100);
  double sums[3] = {0, 0, 0}, counts[3] = {0, 0, 0};
  for (int64_t t = 1; t < 3; ++t) {
    for (int64_t y = 5; y < 8; ++y) {
      for (int64_t x = 5; x < 10; ++x) {
        const int region = (*a.covered)[t][y][x].item<bool>() ? 1 : 2;
        for (int64_t c = 0; c < 3; ++c) {
          const double value = by_definition(a.frames[t], b.frames[t], y, x, c);
          for (const int r : {0, region}) sums[r] += value, counts[r] += 1;
        }
      }
    }
  }
  auto values = score(a, b);
  EXPECT_NEAR(*values["ssim_all"].value, sums[0] / counts[0], 1e-9);
  EXPECT_NEAR(*values["ssim_covered"].value, sums[1] / counts[1], 1e-9);
  EXPECT_NEAR(*values["ssim_disoccluded"].value, sums[2] / counts[2], 1e-9);
}

TEST(Ssim, AgreesWithScikitImage) {
  momap::Clip a = noise(2, 32, 45, 5), b = noise(2, 32, 45, 6);
  b.frames = (a.frames / 4 * 3 + b.frames / 4).to(at::kByte);  // alike, but not the same
  const auto theirs = momap::metric::testing::scikit_image_scores(a.frames[1], b.frames[1]);
  if (!theirs) GTEST_SKIP() << momap::metric::testing::kNoScikitImage;
  EXPECT_NEAR(*score(a, b)["ssim_all"].value, theirs->ssim, 1e-6);
}

TEST(Ssim, OfEqualClipsIsOne) {
  const momap::Clip clip = noise(2, 30, 11, 3);
  EXPECT_NEAR(*score(clip, clip)["ssim_all"].value, 1.0, 1e-12);
}

TEST(Ssim, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score(plain(2, 10, 40, 1), plain(2, 10, 40, 1))["ssim_all"].undefined_reason,
            "frames are 40 x 10 px, less than the 11 x 11 window");
  EXPECT_FALSE(score(plain(1, 20, 20, 1), plain(1, 20, 20, 1))["ssim_all"].value);
  momap::Clip covered = plain(2, 20, 20, 1);
  EXPECT_FALSE(score(covered, plain(2, 20, 20, 1))["ssim_covered"].value);
  covered.covered = at::ones({2, 20, 20}, at::kBool);
  EXPECT_FALSE(score(covered, plain(2, 20, 20, 1))["ssim_disoccluded"].value);
}

TEST(Ssim, IsTheSameForAnyNumberOfThreads) {
  const momap::Clip a = noise(9, 20, 20, 1), b = noise(9, 20, 20, 2);
  const double many = *score(a, b)["ssim_all"].value;
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_EQ(many, *score(a, b)["ssim_all"].value);
}

TEST(Ssim, RefusesClipsThatDoNotMatch) {
  EXPECT_THROW(score(plain(2, 20, 20, 7), plain(3, 20, 20, 7)), momap::DataError);
}

}  // namespace
