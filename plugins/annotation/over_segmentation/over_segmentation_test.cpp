// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/data/datum.h>
#include <momap/stage/annotator.h>

#include "plugin_fixture.h"

namespace {

momap::Clip annotate(const momap::Clip& clip, const std::string& yaml = "{}") {
  const auto plugin =
      momap::testing::make_plugin<momap::Annotator>("annotation/over_segmentation", yaml);
  const momap::Clip out = plugin->annotate(clip, momap::testing::context());
  momap::check(out, "annotation/over_segmentation");
  return out;
}

momap::Clip photograph(const at::Tensor& rgb) {
  momap::Clip clip;
  clip.frames = rgb.unsqueeze(0).contiguous();
  return clip;
}

TEST(OverSegmentation, FindsFlatShapesWithinAPixelOfTheirEdges) {
  at::Tensor rgb = at::full({80, 120, 3}, 40, at::kByte);
  at::Tensor truth = at::zeros({80, 120}, at::kInt);
  rgb.narrow(0, 10, 40).narrow(1, 15, 40).fill_(220),
      truth.narrow(0, 10, 40).narrow(1, 15, 40).fill_(1);
  rgb.narrow(0, 30, 30).narrow(1, 80, 30).fill_(130),
      truth.narrow(0, 30, 30).narrow(1, 80, 30).fill_(2);
  const at::Tensor found = *annotate(photograph(rgb), "{least_px: 300}").segments;
  // In order of size, so that ids are those of the truth.
  EXPECT_GT(found.eq(truth).to(at::kDouble).mean().item<double>(), 0.97);
  EXPECT_EQ(found.max().item<int>(), 2);
}

TEST(OverSegmentation, LargerMergeGivesFewerSegmentsAndEveryPixelHasOne) {
  at::Tensor rgb = (at::sin(at::arange(64 * 96 * 3, at::kDouble) * 0.37) * 60 + 128)
                       .to(at::kByte)
                       .reshape({64, 96, 3});
  const int fine =
      annotate(photograph(rgb), "{merge: 50, least_px: 8}").segments->max().item<int>();
  const int coarse =
      annotate(photograph(rgb), "{merge: 5000, least_px: 8}").segments->max().item<int>();
  EXPECT_GE(fine, coarse);
}

TEST(OverSegmentation, TakesPicturesOfOnePixelAndOfOneColour) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 9}, {33, 2}, {64, 64}}) {
    const at::Tensor found =
        *annotate(photograph(at::zeros({height, width, 3}, at::kByte))).segments;
    EXPECT_EQ(found.max().item<int>(), 0) << height << " x " << width;
  }
}

}  // namespace
