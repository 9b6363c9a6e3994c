// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::MoMap;

constexpr const char* kId = "metric/static_drift";

TEST(StaticDrift, EqualsHandWorkedValues) {
  // Pixel 0 truly moves; pixel 1 drifts by 3 cm in one of two frames, pixel 2 by 4 and 5 cm; pixel
  // 3 has no prediction. A shift of the whole result is no drift. (3 + 0 + 4 + 5) / 4 cm.
  MoMap truth = resting(3, 1, 4), result = resting(3, 1, 4);
  move(truth, 1, 0, 0, 0.1f, 0, 0);
  move(result, 1, 0, 0, 0.7f, 0, 0);
  move(result, 1, 0, 1, 0.03f, 0, 0);
  move(result, 1, 0, 2, 0, 0.04f, 0);
  move(result, 2, 0, 2, 0, 0, 0.05f);
  result.valid[0][3] = false;
  result.xyz = result.xyz + 0.25;
  EXPECT_NEAR(score_pair(kId, result, truth)["static_drift"], 0.03, 1e-6);
}

TEST(StaticDrift, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score_pair(kId, resting(1, 1, 1), resting(1, 1, 1)).reason("static_drift"),
            "the motion map has no frame after frame 0");
  MoMap moving = resting(2, 1, 1);
  move(moving, 1, 0, 0, 1, 0, 0);
  EXPECT_EQ(score_pair(kId, moving, moving).reason("static_drift"),
            "no static point of the reference has a prediction");
  MoMap broken = resting(2, 1, 1);
  point(broken, 1, 0, 0)[0] = NAN;
  EXPECT_THROW(score_pair(kId, broken, resting(2, 1, 1)), momap::DataError);
}

}  // namespace
