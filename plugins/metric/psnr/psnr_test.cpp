// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>

#include <cmath>
#include <map>

#include "../scikit_image.h"

namespace {

std::map<std::string, momap::ScoreValue> score(const momap::Clip& result,
                                               const momap::Clip& reference) {
  const momap::Datum a = result, b = reference;
  momap::Inputs inputs;
  inputs.add("result", {&a});
  inputs.add("reference", {&b});
  std::map<std::string, momap::ScoreValue> out;
  for (const auto& value : momap::testing::make_plugin<momap::Metric>("metric/psnr")
                               ->score(inputs, momap::testing::context())
                               .values) {
    EXPECT_EQ(value.unit, "dB");
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

TEST(Psnr, EqualsHandWorkedValues) {
  // Off by 10 levels where covered (three quarters), by 51 = 255 / 5 elsewhere; frame 0 is far off
  // and not counted.
  momap::Clip result = plain(3, 4, 4, 110);
  const momap::Clip reference = plain(3, 4, 4, 100);
  result.covered = at::ones({3, 4, 4}, at::kBool);
  result.covered->slice(1, 0, 1).fill_(false);
  result.frames.slice(1, 0, 1).fill_(49);
  result.frames[0].fill_(255);
  auto values = score(result, reference);
  EXPECT_NEAR(*values["psnr_covered"].value, 20 * std::log10(25.5), 1e-9);
  EXPECT_NEAR(*values["psnr_disoccluded"].value, 20 * std::log10(5.0), 1e-9);
  EXPECT_NEAR(*values["psnr_all"].value,
              -10 * std::log10((0.75 * 100 + 0.25 * 51 * 51) / (255.0 * 255.0)), 1e-9);
}

TEST(Psnr, ASingleWarpedFrameIsAPictureWithHoles) {
  momap::Clip result = plain(1, 4, 4, 110);
  result.covered = at::ones({1, 4, 4}, at::kBool);
  result.covered->slice(1, 0, 1).fill_(false);
  result.frames.slice(1, 0, 1).fill_(49);
  auto values = score(result, plain(1, 4, 4, 100));
  EXPECT_NEAR(*values["psnr_covered"].value, 20 * std::log10(25.5), 1e-9);
  EXPECT_NEAR(*values["psnr_disoccluded"].value, 20 * std::log10(5.0), 1e-9);
}

TEST(Psnr, AgreesWithScikitImage) {
  momap::Clip a = plain(2, 16, 20, 0), b = a;
  b.frames = a.frames.clone();
  for (int64_t i = 0; i < a.frames.numel(); ++i) {
    a.frames.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(i * 37);
    b.frames.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(i * 37 / 256 % 2 + i * 11);
  }
  const auto theirs = momap::metric::testing::scikit_image_scores(a.frames[1], b.frames[1]);
  if (!theirs) GTEST_SKIP() << momap::metric::testing::kNoScikitImage;
  EXPECT_NEAR(*score(a, b)["psnr_all"].value, theirs->psnr, 1e-9);
}

TEST(Psnr, IsCappedAtHundred) {
  EXPECT_EQ(*score(plain(2, 3, 3, 7), plain(2, 3, 3, 7))["psnr_all"].value, 100.0);
}

TEST(Psnr, SaysWhyAValueIsUndefined) {
  momap::Clip result = plain(2, 3, 3, 7);
  auto without_mask = score(result, plain(2, 3, 3, 9));
  EXPECT_TRUE(without_mask["psnr_all"].value);
  EXPECT_EQ(without_mask["psnr_covered"].undefined_reason, "the result has no 'covered' mask");
  result.covered = at::ones({2, 3, 3}, at::kBool);
  auto covered = score(result, plain(2, 3, 3, 9));
  EXPECT_TRUE(covered["psnr_covered"].value);
  EXPECT_FALSE(covered["psnr_disoccluded"].value);
  EXPECT_FALSE(score(plain(1, 3, 3, 7), plain(1, 3, 3, 7))["psnr_all"].value);
}

TEST(Psnr, RefusesClipsThatDoNotMatch) {
  EXPECT_THROW(score(plain(2, 3, 3, 7), plain(3, 3, 3, 7)), momap::DataError);
  EXPECT_THROW(score(plain(2, 3, 3, 7), plain(2, 3, 4, 7)), momap::DataError);
}

}  // namespace
