// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;

constexpr const char* kId = "metric/holes";

/// Two frames of 1 x 4 px; the mask is that of frame 1.
Clip covered(std::initializer_list<bool> mask) {
  Clip clip;
  clip.frames = at::zeros({2, 1, 4, 3}, at::kByte);
  clip.covered = at::ones({2, 1, 4}, at::kBool);
  std::copy(mask.begin(), mask.end(), clip.covered->data_ptr<bool>() + 4);
  return clip;
}

TEST(Holes, EqualsHandWorkedValues) {
  // Both cover 2 pixels, the result alone 1, the reference alone none: F1 4 / 5.
  const auto values =
      score_pair(kId, covered({true, true, true, false}), covered({true, true, false, false}));
  EXPECT_DOUBLE_EQ(values["coverage_f1"], 0.8);
  EXPECT_DOUBLE_EQ(values["coverage_precision"], 2.0 / 3);
  EXPECT_DOUBLE_EQ(values["coverage_recall"], 1);
}

TEST(Holes, SaysWhyAValueIsUndefined) {
  const Clip none = covered({false, false, false, false}), all = covered({true, true, true, true});
  EXPECT_EQ(score_pair(kId, none, none).reason("coverage_f1"),
            "neither mask covers a pixel after frame 0");
  EXPECT_DOUBLE_EQ(score_pair(kId, none, all)["coverage_f1"], 0);
  EXPECT_EQ(score_pair(kId, none, all).reason("coverage_precision"),
            "the result covers no pixel after frame 0");
  EXPECT_EQ(score_pair(kId, all, none).reason("coverage_recall"),
            "the reference covers no pixel after frame 0");
  Clip without = all;
  without.covered.reset();
  EXPECT_EQ(score_pair(kId, without, all).reason("coverage_f1"),
            "the result has no 'covered' mask");
  EXPECT_EQ(score_pair(kId, all, without).reason("coverage_f1"),
            "the reference has no 'covered' mask");
  Clip single = all;
  single.frames = all.frames.slice(0, 0, 1);
  single.covered = all.covered->slice(0, 0, 1);
  EXPECT_EQ(score_pair(kId, single, single).reason("coverage_f1"),
            "the clip has no frame after frame 0, which is given");
  EXPECT_THROW(score_pair(kId, single, all), momap::DataError);
}

}  // namespace
