// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Datum;
using momap::MoMap;

Values score(const MoMap& decoded, const MoMap& original) {
  const Datum latent = momap::Latent{at::zeros({1, 6, 2, 2}, at::kFloat), {}};
  const Datum d = decoded, o = original;
  return Values(score_of("metric/rate_distortion",
                         {{"latent", {&latent}}, {"decoded", {&d}}, {"original", {&o}}}));
}

TEST(RateDistortion, EqualsHandWorkedValues) {
  // 24 floats for 3 pixels: 96 bytes, 8 a pixel. Pixel 0 moves; decoding leaves errors of 3 and
  // 4 cm there, 1 cm in one of two frames at the static pixel 1; pixel 2 is lost.
  // RMSE: moving sqrt(25 / 2), static sqrt(1 / 2), all sqrt(26 / 4) cm. Depth is 2 m, but 4 m at
  // the moving pixel in frame 2, where the error is 4 cm: relative 3/200, 4/400; 1/200, 0.
  MoMap original = resting(3, 1, 3);
  move(original, 2, 0, 0, 0, 0, 2);
  MoMap decoded = original;
  decoded.xyz = original.xyz.clone();
  move(decoded, 1, 0, 0, 0.03f, 0, 0);
  move(decoded, 2, 0, 0, 0, 0.04f, 0);
  move(decoded, 1, 0, 1, 0.01f, 0, 0);
  decoded.valid = original.valid.clone();
  decoded.valid[0][2] = false;
  const Values values = score(decoded, original);
  EXPECT_DOUBLE_EQ(values["latent_bytes"], 96);
  EXPECT_DOUBLE_EQ(values["floats_per_pixel"], 8);
  EXPECT_NEAR(values["rmse"], 0.01 * std::sqrt(26.0 / 4), 1e-7);
  EXPECT_NEAR(values["rmse_moving"], 0.01 * std::sqrt(25.0 / 2), 1e-7);
  EXPECT_NEAR(values["rmse_static"], 0.01 * std::sqrt(1.0 / 2), 1e-7);
  EXPECT_NEAR(values["relative_rmse_moving"], std::sqrt((0.015 * 0.015 + 0.01 * 0.01) / 2), 1e-7);
  EXPECT_NEAR(values["relative_rmse_static"], 0.005 / std::sqrt(2), 1e-7);
  EXPECT_NEAR(values["lost_pixels"], 1.0 / 3, 1e-12);
  EXPECT_EQ(values.reason("jerk_ratio"), "a third difference takes four frames");
}

TEST(RateDistortion, JerkIsTheThirdDifference) {
  // Displacements 0, 0, 0, 4 cm: third difference 4 cm. Decoded 0, 2, 0, 4: 4 - 0 + 6 - 0 = 10 cm.
  MoMap original = resting(4, 1, 1);
  move(original, 3, 0, 0, 0.04f, 0, 0);
  MoMap decoded = original;
  decoded.xyz = original.xyz.clone();
  move(decoded, 1, 0, 0, 0.02f, 0, 0);
  EXPECT_NEAR(score(decoded, original)["jerk_ratio"], 2.5, 1e-5);
}

TEST(RateDistortion, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score(resting(1, 1, 1), resting(1, 1, 1)).reason("rmse"),
            "the motion map has no frame after frame 0");
  const Values still = score(resting(4, 1, 1), resting(4, 1, 1));
  EXPECT_EQ(still.reason("rmse_moving"), "no valid pixel moves");
  EXPECT_EQ(still.reason("jerk_ratio"), "the original moves without any jerk");
  EXPECT_DOUBLE_EQ(still["rmse_static"], 0);
  MoMap empty = resting(2, 1, 1);
  empty.valid = at::zeros({1, 1}, at::kBool);
  EXPECT_EQ(score(resting(2, 1, 1), empty).reason("lost_pixels"),
            "no pixel of the original is valid");
  MoMap broken = resting(2, 1, 1);
  point(broken, 1, 0, 0)[0] = NAN;
  EXPECT_THROW(score(broken, resting(2, 1, 1)), momap::DataError);
  EXPECT_THROW(score(resting(3, 1, 1), resting(2, 1, 1)), momap::DataError);
}

}  // namespace
