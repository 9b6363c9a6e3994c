// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::MoMap;

constexpr const char* kId = "metric/leakage";

TEST(Leakage, EqualsHandWorkedValues) {
  // Pixel 0 moves in one true future, so pixels 1 and 2 are static. The first sample moves pixel 1
  // by 3 and 1 cm in frames 1 and 2 (mean 2 cm, and it moves), the second nothing but pixel 0:
  // (2 + 0 + 0 + 0) / 4 cm; one of four static pixels moves.
  MoMap still = resting(3, 1, 3), moving = resting(3, 1, 3), leaky = resting(3, 1, 3);
  move(moving, 2, 0, 0, 0, 0, 0.5f);
  move(leaky, 1, 0, 1, 0.03f, 0, 0);
  move(leaky, 2, 0, 1, 0, 0.01f, 0);
  const auto values = score_samples(kId, {leaky, moving}, clip_of({still, moving}));
  EXPECT_NEAR(values["leakage"], 0.005, 1e-8);
  EXPECT_DOUBLE_EQ(values["leakage_share"], 0.25);
}

TEST(Leakage, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score_samples(kId, {resting(1, 1, 1)}, resting(1, 1, 1)).reason("leakage"),
            "the motion map has no frame after frame 0");
  MoMap moving = resting(2, 1, 1);
  move(moving, 1, 0, 0, 1, 0, 0);
  EXPECT_EQ(score_samples(kId, {moving}, moving).reason("leakage_share"),
            "no valid pixel is static in all true futures");
}

TEST(Leakage, NamesThePixelThatIsNotFinite) {
  MoMap broken = resting(2, 1, 3);
  point(broken, 1, 0, 1)[2] = NAN;
  EXPECT_THROW(score_samples(kId, {broken}, resting(2, 1, 3)), momap::DataError);
}

}  // namespace
