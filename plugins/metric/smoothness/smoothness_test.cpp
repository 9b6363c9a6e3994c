// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::MoMap;

constexpr const char* kId = "metric/smoothness";

TEST(Smoothness, EqualsHandWorkedValues) {
  // 2 x 2 px, 2 cm are 1 px. Flow u: 1 3 / 4 0 (upper right and lower row unlike), v: 0 0 / 2 0.
  // At the one pixel with neighbours: ux 2, uy 3, vx 0, vy 2. FlowTV 7; div 4, curl vx - uy = -3:
  // DivCurlE 25.
  MoMap sample = resting(2, 2, 2);
  move(sample, 1, 0, 0, 0.02f, 0, 0);
  move(sample, 1, 0, 1, 0.06f, 0, 0);
  move(sample, 1, 1, 0, 0.08f, 0.04f, 0);
  MoMap truth = resting(2, 2, 2);
  move(truth, 1, 0, 0, 0, 0, 0.1f);
  const auto values = score_samples(kId, {sample}, truth);
  EXPECT_NEAR(values["flow_tv"], 7, 1e-3);
  EXPECT_NEAR(values["div_curl_e"], 25, 1e-2);
  const double lower_left = std::sqrt(0.08 * 0.08 + 0.04 * 0.04);
  EXPECT_NEAR(values["smoothness_motion_ratio"], (0.02 + 0.06 + lower_left) / 0.1, 1e-5);
}

TEST(Smoothness, ARestingSampleIsSmoothAndShowsIt) {
  MoMap truth = resting(3, 2, 2);
  move(truth, 2, 0, 0, 0.1f, 0, 0);
  const auto values = score_samples(kId, {resting(3, 2, 2)}, truth);
  EXPECT_DOUBLE_EQ(values["flow_tv"], 0);
  EXPECT_DOUBLE_EQ(values["smoothness_motion_ratio"], 0);
}

TEST(Smoothness, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score_samples(kId, {resting(1, 2, 2)}, resting(1, 2, 2)).reason("flow_tv"),
            "the motion map has no frame after frame 0");
  const auto single = score_samples(kId, {resting(2, 1, 1)}, resting(2, 1, 1));
  EXPECT_EQ(single.reason("flow_tv"), "no valid pixel has a valid right and lower neighbour");
  EXPECT_EQ(single.reason("smoothness_motion_ratio"), "nothing moves in truth");
  MoMap broken = resting(2, 2, 2);
  point(broken, 1, 1, 1)[1] = NAN;
  EXPECT_THROW(score_samples(kId, {broken}, resting(2, 2, 2)), momap::DataError);
}

}  // namespace
