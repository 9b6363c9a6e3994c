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
  return momap::testing::make_plugin<momap::Completer>("completion/pull_push", params)
      ->complete(partial, context());
}

TEST(PullPush, KeepsCoveredPixelsBitForBit) {
  for (const auto& [height, width] : {std::pair{37, 53}, std::pair{64, 64}, std::pair{1, 9}}) {
    const momap::PartialClip partial = noisy(3, height, width);
    const momap::Clip clip = complete(partial);
    const at::Tensor mask = partial.covered.unsqueeze(-1).expand_as(partial.frames);
    EXPECT_TRUE(at::equal(clip.frames.masked_select(mask), partial.frames.masked_select(mask)));
    EXPECT_TRUE(at::equal(*clip.covered, partial.covered));
    EXPECT_EQ(clip.fps, 12.5);
  }
}

TEST(PullPush, ChangesNothingWithoutHoles) {
  const momap::PartialClip partial = plain(2, 9, 7, 131);
  EXPECT_TRUE(at::equal(complete(partial).frames, partial.frames));
}

TEST(PullPush, FillsAHoleInAPlainColourWithThatColour) {
  momap::PartialClip partial = plain(1, 31, 45, 77);
  partial.frames.slice(1, 5, 30).slice(2, 4, 41).fill_(255);
  partial.covered.slice(1, 5, 30).slice(2, 4, 41).fill_(false);
  EXPECT_TRUE((complete(partial).frames == 77).all().item<bool>());
}

TEST(PullPush, FillsAFrameFromASinglePixel) {
  momap::PartialClip partial = plain(1, 33, 17, 0);
  partial.covered.fill_(false);
  partial.covered[0][32][0].fill_(true);
  partial.frames[0][32][0].fill_(9);
  EXPECT_TRUE((complete(partial).frames == 9).all().item<bool>());
}

TEST(PullPush, ContinuesARampAcrossAHole) {
  momap::PartialClip partial = plain(1, 64, 64, 0);
  partial.frames.copy_(at::arange(64).mul(3).view({1, 1, 64, 1}).expand({1, 64, 64, 3}));
  const at::Tensor truth = partial.frames.clone();
  partial.covered.slice(1, 28, 36).slice(2, 28, 36).fill_(false);
  partial.frames.slice(1, 28, 36).slice(2, 28, 36).fill_(0);
  const at::Tensor error = (complete(partial).frames.to(at::kInt) - truth.to(at::kInt)).abs();
  EXPECT_LE(error.max().item<int>(), 9);  // 3 px of the ramp
}

TEST(PullPush, PrefersTheBackground) {
  // A near, bright half and a far, dark half with a hole between them.
  momap::PartialClip partial = plain(1, 32, 48, 200);
  partial.depth.fill_(1.0f);
  partial.frames.slice(2, 24, 48).fill_(40);
  partial.depth.slice(2, 24, 48).fill_(4.0f);
  partial.covered.slice(2, 20, 28).fill_(false);
  const auto mean = [](const momap::Clip& clip) {
    return clip.frames.slice(2, 20, 28).to(at::kFloat).mean().item<float>();
  };
  EXPECT_LT(mean(complete(partial)), 60.0f);
  EXPECT_NEAR(mean(complete(partial, "{background_preference: 0}")), 120.0f, 12.0f);
}

TEST(PullPush, TakesAFrameWithoutEvidenceFromTheNearestOne) {
  momap::PartialClip partial = plain(4, 6, 5, 0);
  for (int64_t t = 0; t < 4; ++t) partial.frames[t].fill_(10 * (t + 1));
  partial.covered[1].fill_(false);  // between two; the earlier is taken
  partial.covered[3].fill_(false);
  const momap::Clip clip = complete(partial);
  EXPECT_TRUE((clip.frames[1] == 10).all().item<bool>());
  EXPECT_TRUE((clip.frames[3] == 30).all().item<bool>());
  EXPECT_FALSE((*clip.covered)[1].any().item<bool>());
}

TEST(PullPush, RefusesAClipWithoutAnyCoveredPixel) {
  momap::PartialClip partial = plain(2, 1, 1, 50);
  EXPECT_TRUE((complete(partial).frames == 50).all().item<bool>());
  partial.covered.fill_(false);
  EXPECT_THROW(complete(partial), momap::DataError);
}

TEST(PullPush, CopesWithDepthThatIsNotANumber) {
  momap::PartialClip partial = noisy(1, 20, 20);
  partial.depth.slice(2, 0, 7).fill_(std::numeric_limits<float>::quiet_NaN());
  partial.depth.slice(2, 7, 14).fill_(std::numeric_limits<float>::infinity());
  const at::Tensor filled = complete(partial).frames;
  partial.depth.fill_(3.0f);
  EXPECT_TRUE(at::equal(filled, complete(partial).frames));
}

TEST(PullPush, GivesTheSameBytesForAnyNumberOfThreads) {
  const momap::PartialClip partial = noisy(5, 61, 33);
  const at::Tensor many = complete(partial).frames;
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_TRUE(at::equal(many, complete(partial).frames));
}

TEST(PullPush, RefusesCoverageOfAnotherSize) {
  momap::PartialClip partial = plain(2, 4, 4, 50);
  partial.covered = at::ones({2, 4, 5}, at::kBool);
  EXPECT_THROW(complete(partial), momap::DataError);
}

}  // namespace
