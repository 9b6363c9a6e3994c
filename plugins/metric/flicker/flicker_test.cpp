// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;
using momap::MoMap;

constexpr const char* kId = "metric/flicker";

/// One row of pixels, whose grey levels are given frame by frame.
Clip levels(const std::vector<std::vector<int>>& grey, const MoMap& truth) {
  Clip clip = clip_of({truth});
  for (size_t t = 0; t < grey.size(); ++t) {
    for (size_t x = 0; x < grey[t].size(); ++x) {
      clip.frames[static_cast<int64_t>(t)][0][static_cast<int64_t>(x)].fill_(grey[t][x]);
    }
  }
  return clip;
}

TEST(Flicker, EqualsHandWorkedValues) {
  // Four frames, two pixels; the right one moves in truth and does not count.
  // Result 10, 20, 10, 10: second differences 20, 10. Reference 10, 10, 15, 15: 5, 5.
  MoMap truth = resting(4, 1, 2);
  move(truth, 3, 0, 1, 0, 0.5f, 0);
  const auto values = score_pair(kId, levels({{10, 0}, {20, 99}, {10, 0}, {10, 99}}, truth),
                                 levels({{10, 0}, {10, 0}, {15, 0}, {15, 0}}, truth));
  EXPECT_DOUBLE_EQ(values["temporal_flicker"], 3);
  EXPECT_DOUBLE_EQ(values["flicker_levels"], 15);
}

TEST(Flicker, FollowsPointsAsTheCameraMoves) {
  // The camera goes 1 px = 2 cm to the right a frame, so a pattern of 10, 50, 90 runs to the left
  // and points keep their grey; each is in three frames in a row or is left out.
  MoMap truth = resting(3, 1, 4);
  for (const int64_t t : {1, 2}) {
    for (int64_t x = 0; x < t; ++x) truth.visible[t][0][x] = false;
  }
  const std::vector<std::vector<int>> steady{
      {10, 50, 90, 130}, {50, 90, 130, 170}, {90, 130, 170, 210}};
  const std::vector<std::vector<int>> flashing{
      {10, 50, 90, 130}, {50, 94, 134, 170}, {90, 130, 170, 210}};
  Clip reference = levels(steady, truth);
  reference.cam_from_world = at::eye(4, at::kDouble).repeat({3, 1, 1});
  (*reference.cam_from_world)[1][0][3] = -0.02;
  (*reference.cam_from_world)[2][0][3] = -0.04;
  const auto values = score_pair(kId, levels(flashing, truth), reference);
  // Points 2 and 3 are seen throughout: at pixels 1 and 2 of frame 1, 4 levels too bright.
  EXPECT_NEAR(values["flicker_levels"], 8, 1e-4);
}

TEST(Flicker, SaysWhyAValueIsUndefined) {
  const MoMap three = resting(3, 1, 1);
  const Clip steady = levels({{7}, {7}, {7}}, three);
  const auto values = score_pair(kId, steady, steady);
  EXPECT_EQ(values.reason("temporal_flicker"), "the reference does not change on static points");
  EXPECT_DOUBLE_EQ(values["flicker_levels"], 0);
  const Clip two = levels({{7}, {7}}, resting(2, 1, 1));
  EXPECT_EQ(score_pair(kId, two, two).reason("flicker_levels"),
            "a second difference takes three frames");
  Clip unknown = steady;
  unknown.truth.clear();
  EXPECT_EQ(score_pair(kId, steady, unknown).reason("temporal_flicker"),
            "the reference has no true motion to tell what is static");
  MoMap hidden = three;
  hidden.visible = three.visible.clone();
  hidden.visible[1][0][0] = false;
  EXPECT_EQ(score_pair(kId, steady, levels({{7}, {7}, {7}}, hidden)).reason("flicker_levels"),
            "no static point is visible in three frames in a row");
  EXPECT_THROW(score_pair(kId, two, steady), momap::DataError);
}

}  // namespace
