// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <tbb/global_control.h>

#include <limits>

#include "../partial_clips.h"

namespace {

using momap::testing::context;
using momap::testing::noisy;
using momap::testing::plain;

momap::Clip complete(const momap::PartialClip& partial, const std::string& params = "{}") {
  return momap::testing::make_plugin<momap::Completer>("completion/background", params)
      ->complete(partial, context());
}

TEST(Background, KeepsCoveredPixelsBitForBit) {
  for (const auto& [height, width] : {std::pair{37, 53}, std::pair{64, 64}, std::pair{1, 9}}) {
    const momap::PartialClip partial = noisy(3, height, width);
    const momap::Clip clip = complete(partial);
    const at::Tensor mask = partial.covered.unsqueeze(-1).expand_as(partial.frames);
    EXPECT_TRUE(at::equal(clip.frames.masked_select(mask), partial.frames.masked_select(mask)));
    EXPECT_TRUE(at::equal(*clip.covered, partial.covered));
    EXPECT_EQ(clip.fps, 12.5);
  }
}

/// A wall at 4 m whose right half is brighter, and before it a black square at 1 m that moves from
/// column 8 to the right by 2 px a frame. Rows 10 to 19 of 32, 10 px wide.
momap::PartialClip passing_square(int64_t frames) {
  momap::PartialClip partial = plain(frames, 32, 64, 90);
  partial.depth.fill_(4);
  partial.frames.slice(2, 32, 64).fill_(150);
  partial.covered.slice(1, 10, 20).slice(2, 8, 18).fill_(false);
  for (int64_t t = 0; t < frames; ++t) {
    const auto part = [&](at::Tensor& tensor) {
      return tensor[t].slice(0, 10, 20).slice(1, 8 + 2 * t, 18 + 2 * t);
    };
    part(partial.frames).fill_(0);
    part(partial.depth).fill_(1);
    part(partial.covered).fill_(true);
  }
  partial.frames.masked_fill_(partial.covered.logical_not().unsqueeze(-1), 255);
  return partial;
}

TEST(Background, ShowsTheWallBehindWhatLeft) {
  const momap::PartialClip partial = passing_square(6);
  const at::Tensor filled = complete(partial).frames.masked_select(
      partial.covered.logical_not().unsqueeze(-1).expand_as(partial.frames));
  ASSERT_GT(filled.numel(), 0);
  // Nothing of the black square; the bright half counts little, it is far away.
  EXPECT_GE(filled.min().item<int>(), 90);
  EXPECT_LE(filled.max().item<int>(), 120);
}

TEST(Background, FillsAPlaceAlikeInAllFrames) {
  const momap::PartialClip partial = passing_square(6);
  const at::Tensor frames = complete(partial).frames;
  for (int64_t t = 2; t < 6; ++t) {
    const at::Tensor holes = partial.covered[1].logical_not().unsqueeze(-1).expand_as(frames[1]);
    ASSERT_FALSE(
        partial.covered[t].masked_select(partial.covered[1].logical_not()).any().item<bool>());
    EXPECT_TRUE(at::equal(frames[t].masked_select(holes), frames[1].masked_select(holes)));
  }
}

TEST(Background, TakesFromAnotherFrameWhatItShowsOfTheBackground) {
  momap::PartialClip partial = passing_square(3);
  partial.frames.slice(1, 26, 27).slice(2, 40, 41).fill_(200);  // a spot on the wall
  partial.covered[1][26][40].fill_(false);
  partial.frames[1][26][40].fill_(255);
  EXPECT_TRUE((complete(partial).frames[1][26][40] == 200).all().item<bool>());
  EXPECT_FALSE(
      (complete(partial, "{depth_tolerance: 0}").frames[1][10][9] == 0).any().item<bool>());
}

TEST(Background, PrefersTheBackgroundInAViewThatMoves) {
  // A near, bright half and a far, dark half with a hole between them; all shades change.
  momap::PartialClip partial = plain(2, 32, 48, 200);
  partial.depth.fill_(1.0f);
  partial.frames.slice(2, 24, 48).fill_(40);
  partial.depth.slice(2, 24, 48).fill_(4.0f);
  partial.frames[1].sub_(30);
  partial.covered.slice(2, 20, 28).fill_(false);
  const at::Tensor filled = complete(partial).frames.slice(2, 20, 28).to(at::kFloat);
  EXPECT_LT(filled[0].mean().item<float>(), 60.0f);
  EXPECT_LT(filled[1].mean().item<float>(), 30.0f);
}

TEST(Background, FillsFromAnyFrameThatShowsSomething) {
  momap::PartialClip partial = plain(3, 6, 5, 70);
  partial.covered.fill_(false);
  partial.covered[2][3][3].fill_(true);
  EXPECT_TRUE((complete(partial).frames == 70).all().item<bool>());
}

TEST(Background, TakesAFrameWithoutEvidenceFromTheNearestOne) {
  momap::PartialClip partial = plain(4, 6, 5, 0);
  for (int64_t t = 0; t < 4; ++t) partial.frames[t].fill_(10 * (t + 1));
  partial.covered[1].fill_(false);  // between two; the earlier is taken
  partial.covered[3].fill_(false);
  const momap::Clip clip = complete(partial);
  EXPECT_TRUE((clip.frames[1] == 10).all().item<bool>());
  EXPECT_TRUE((clip.frames[3] == 30).all().item<bool>());
  EXPECT_FALSE((*clip.covered)[1].any().item<bool>());
}

TEST(Background, RefusesAClipWithoutAnyCoveredPixel) {
  momap::PartialClip partial = plain(2, 1, 1, 50);
  EXPECT_TRUE((complete(partial).frames == 50).all().item<bool>());
  partial.covered.fill_(false);
  EXPECT_THROW(complete(partial), momap::DataError);
}

TEST(Background, CopesWithDepthThatIsNotANumber) {
  momap::PartialClip partial = noisy(1, 20, 20);
  partial.depth.slice(2, 0, 7).fill_(std::numeric_limits<float>::quiet_NaN());
  partial.depth.slice(2, 7, 14).fill_(std::numeric_limits<float>::infinity());
  const at::Tensor filled = complete(partial).frames;
  partial.depth.fill_(3.0f);
  EXPECT_TRUE(at::equal(filled, complete(partial).frames));
}

TEST(Background, GivesTheSameBytesForAnyNumberOfThreads) {
  const momap::PartialClip partial = noisy(5, 61, 33);
  const at::Tensor many = complete(partial).frames;
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_TRUE(at::equal(many, complete(partial).frames));
}

TEST(Background, RefusesCoverageOfAnotherSize) {
  momap::PartialClip partial = plain(2, 4, 4, 50);
  partial.covered = at::ones({2, 4, 5}, at::kBool);
  EXPECT_THROW(complete(partial), momap::DataError);
}

TEST(Background, CarriesTexturesOnIntoHoles) {
  // Slanted stripes with a hole of 16 x 16 px, which means alone would smear.
  momap::PartialClip partial = plain(1, 64, 64, 0);
  for (int64_t y = 0; y < 64; ++y) {
    for (int64_t x = 0; x < 64; ++x) {
      partial.frames[0][y][x].fill_((2 * x + y) % 12 < 6 ? 60 : 180);
    }
  }
  const at::Tensor truth = partial.frames.to(at::kInt);
  partial.covered.slice(1, 24, 40).slice(2, 24, 40).fill_(false);
  partial.frames.masked_fill_(partial.covered.logical_not().unsqueeze(-1), 0);
  const auto error = [&](const std::string& params) {
    return (complete(partial, params).frames.to(at::kInt) - truth)
        .slice(1, 24, 40)
        .slice(2, 24, 40)
        .abs()
        .to(at::kFloat)
        .mean()
        .item<float>();
  };
  EXPECT_GT(error("{rounds: 0}"), 30);
  EXPECT_LT(error("{}"), 20);
}

}  // namespace
