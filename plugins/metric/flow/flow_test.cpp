// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;
using momap::MoMap;

constexpr const char* kId = "metric/flow";

/// At 2 m with a focal length of 100 px, 2 cm are 1 px.
Clip with_flow(const std::vector<std::array<float, 2>>& flow) {
  const auto width = static_cast<int64_t>(flow.size());
  Clip clip = clip_of({resting(2, 1, width)});
  clip.flow = at::zeros({1, 1, width, 2}, at::kFloat);
  std::copy_n(flow[0].data(), 2 * width, clip.flow->data_ptr<float>());
  return clip;
}

TEST(Flow, EqualsHandWorkedValues) {
  // Predicted flow 0, 3, 10, 0, none px along x against
  //   (0, 0):   error 0
  //   (3, 4):   error 4, which is more than 3 px and 5 % of 5 px: an outlier
  //   (100, 0): error 90, an outlier
  //   (NaN):    not known
  //   (1, 0):   no prediction: an outlier, and no error
  // EPE (0 + 4 + 90) / 3; Fl 3 / 4; coverage 3 / 4. Pixels 1 and 4 are occluded.
  Clip clip = with_flow({{0, 0}, {3, 4}, {100, 0}, {NAN, 0}, {1, 0}});
  clip.occluded = at::zeros({1, 1, 5}, at::kBool);
  (*clip.occluded)[0][0][1] = (*clip.occluded)[0][0][4] = true;
  MoMap result = resting(2, 1, 5);
  move(result, 1, 0, 1, 0.06f, 0, 0);
  move(result, 1, 0, 2, 0.2f, 0, 0);
  result.valid[0][4] = false;
  const auto values = score_pair(kId, result, clip);
  EXPECT_NEAR(values["epe2d"], 94.0 / 3, 1e-4);
  EXPECT_DOUBLE_EQ(values["fl"], 0.75);
  EXPECT_DOUBLE_EQ(values["flow_coverage"], 0.75);
  EXPECT_NEAR(values["epe2d_visible"], 45, 1e-4);
  EXPECT_DOUBLE_EQ(values["fl_visible"], 0.5);
  EXPECT_NEAR(values["epe2d_occluded"], 4, 1e-4);
  EXPECT_DOUBLE_EQ(values["fl_occluded"], 1);
}

TEST(Flow, AnOutlierIsOffByPixelsAndByShare) {
  // 4 px of 100 px are 4 %: no outlier. 4 px of 50 px are 8 %.
  MoMap result = resting(2, 1, 2);
  move(result, 1, 0, 0, 2.08f, 0, 0);
  move(result, 1, 0, 1, 1.08f, 0, 0);
  const auto values = score_pair(kId, result, with_flow({{100, 0}, {50, 0}}));
  EXPECT_DOUBLE_EQ(values["fl"], 0.5);
  EXPECT_EQ(values.reason("fl_visible"), "the reference does not say what is occluded");
}

TEST(Flow, SeesAlsoTheCamerasOwnMotion) {
  // The camera moves 4 cm to the right, so resting points at 2 m go 2 px to the left.
  Clip clip = with_flow({{-2, 0}, {-2, 0}});
  at::Tensor poses = at::eye(4, at::kDouble).repeat({2, 1, 1});
  poses[1][0][3] = -0.04;
  EXPECT_NEAR(score_pair(kId, resting(2, 1, 2), clip)["epe2d"], 2, 1e-4);
  clip.cam_from_world = poses;
  EXPECT_NEAR(score_pair(kId, resting(2, 1, 2), clip)["epe2d"], 0, 1e-4);
}

TEST(Flow, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score_pair(kId, resting(2, 1, 1), clip_of({resting(2, 1, 1)})).reason("epe2d"),
            "the reference has no true flow");
  EXPECT_EQ(score_pair(kId, resting(1, 1, 1), with_flow({{0, 0}})).reason("fl"),
            "the motion map has no frame after frame 0");
  EXPECT_EQ(score_pair(kId, resting(2, 1, 1), with_flow({{NAN, 0}})).reason("fl"),
            "the true flow is known nowhere in frame 0");
  MoMap empty = resting(2, 1, 1);
  empty.valid = at::zeros({1, 1}, at::kBool);
  EXPECT_EQ(score_pair(kId, empty, with_flow({{0, 0}})).reason("epe2d"),
            "no pixel with true flow has a prediction");
  EXPECT_THROW(score_pair(kId, resting(2, 1, 3), with_flow({{0, 0}})), momap::DataError);
}

}  // namespace
