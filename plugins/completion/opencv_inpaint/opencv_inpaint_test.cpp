// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <tbb/global_control.h>

namespace {

using momap::testing::context;

/// A horizontal ramp of 3 levels a pixel with a square hole in its middle.
momap::PartialClip ramp_with_hole(int64_t frames, int64_t height, int64_t width) {
  momap::PartialClip partial{at::zeros({frames, height, width, 3}, at::kByte),
                             at::ones({frames, height, width}, at::kBool),
                             at::full({frames, height, width}, 3.0f),
                             at::zeros({frames, momap::kDropReasons}, at::kLong), 24};
  partial.frames.copy_(at::arange(width).mul(3).view({1, 1, width, 1}).expand_as(partial.frames));
  for (auto* tensor : {&partial.frames, &partial.covered}) {
    tensor->slice(1, height / 2 - 3, height / 2 + 3).slice(2, width / 2 - 3, width / 2 + 3).zero_();
  }
  return partial;
}

class OpenCvInpaint : public testing::TestWithParam<const char*> {
 protected:
  static momap::Clip complete(const momap::PartialClip& partial) {
    return momap::testing::make_plugin<momap::Completer>(GetParam(), "{}")
        ->complete(partial, context());
  }
  // How far a hole in a plain colour may be off, levels.
  static int stray() { return GetParam() == std::string("completion/telea") ? 5 : 12; }
};

INSTANTIATE_TEST_SUITE_P(Methods, OpenCvInpaint,
                         testing::Values("completion/telea", "completion/navier_stokes",
                                         "completion/frequency_selective"),
                         [](const auto& tested) { return std::string(tested.param).substr(11); });

TEST_P(OpenCvInpaint, ContinuesARampAcrossAHoleAndKeepsTheRest) {
  const momap::PartialClip partial = ramp_with_hole(2, 41, 61);
  const momap::Clip clip = complete(partial);
  const at::Tensor ramp = at::arange(61).mul(3).view({1, 1, 61, 1}).expand({2, 41, 61, 3});
  const at::Tensor error = (clip.frames.to(at::kInt) - ramp.to(at::kInt)).abs();
  EXPECT_LE(error.max().item<int>(), 9);  // 3 px of the ramp
  const at::Tensor covered = partial.covered.unsqueeze(-1).expand_as(error);
  EXPECT_EQ(error.masked_select(covered).max().item<int>(), 0);
  EXPECT_TRUE(at::equal(*clip.covered, partial.covered));
  EXPECT_EQ(clip.fps, 24);
}

TEST_P(OpenCvInpaint, FillsHolesThatTouchTheBorder) {
  momap::PartialClip partial = ramp_with_hole(1, 20, 20);
  partial.frames.fill_(90);
  partial.covered.fill_(true);
  partial.covered.slice(2, 14, 20).fill_(false);
  partial.frames.slice(2, 14, 20).fill_(0);
  // OpenCV's gradient term strays from a plain colour by a few levels; Navier-Stokes by more near
  // the upper border.
  const at::Tensor error = (complete(partial).frames.to(at::kInt) - 90).abs();
  EXPECT_LE(error.max().item<int>(), stray());
}

TEST_P(OpenCvInpaint, CopesWithTheSmallestFrames) {
  for (const auto& [height, width] : {std::pair{1, 1}, std::pair{1, 4}, std::pair{3, 1},
                                      std::pair{2, 2}, std::pair{2, 9}, std::pair{3, 3}}) {
    momap::PartialClip partial{
        at::full({2, height, width, 3}, 60, at::kByte), at::ones({2, height, width}, at::kBool),
        at::full({2, height, width}, 3.0f), at::zeros({2, momap::kDropReasons}, at::kLong), 0};
    EXPECT_TRUE(at::equal(complete(partial).frames, partial.frames));
    partial.covered[1][height - 1][width - 1].fill_(false);
    partial.frames.masked_fill_(partial.covered.logical_not().unsqueeze(-1), 0);
    const at::Tensor error = (complete(partial).frames.to(at::kInt) - 60).abs();
    EXPECT_LE(error.max().item<int>(), stray()) << height << " x " << width;
  }
}

TEST_P(OpenCvInpaint, RefusesAClipWithoutAnyCoveredPixel) {
  momap::PartialClip partial = ramp_with_hole(2, 10, 10);
  partial.covered.fill_(false);
  EXPECT_THROW(complete(partial), momap::DataError);
}

TEST_P(OpenCvInpaint, GivesTheSameBytesForAnyNumberOfThreads) {
  const momap::PartialClip partial = ramp_with_hole(6, 31, 33);
  const at::Tensor many = complete(partial).frames;
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_TRUE(at::equal(many, complete(partial).frames));
}

}  // namespace
