// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::MoMap;

constexpr const char* kId = "metric/rigidity";

/// A clip of these futures whose 2 x 2 px are one object.
momap::Clip one_object(const std::vector<MoMap>& futures) {
  momap::Clip clip = clip_of(futures);
  clip.segments = at::ones({futures[0].height(), futures[0].width()}, at::kInt);
  return clip;
}

/// Turns a map about the point (0, 0, 2) of axis z by a quarter and moves it away.
MoMap turned(const MoMap& map) {
  MoMap out = map;
  out.xyz = map.xyz.clone();
  for (int64_t y = 0; y < map.height(); ++y) {
    for (int64_t x = 0; x < map.width(); ++x) {
      float* p = point(out, 1, y, x);
      const float px = p[0];
      p[0] = -p[1] + 1, p[1] = px - 3, p[2] += 0.5f;
    }
  }
  return out;
}

TEST(Rigidity, ARigidMotionLeavesNothing) {
  const MoMap rest = resting(2, 2, 3);
  const auto values = score_samples(kId, {turned(rest), rest}, one_object({rest, turned(rest)}));
  EXPECT_NEAR(values["rigid_residual"], 0, 1e-6);
}

TEST(Rigidity, EqualsHandWorkedValues) {
  // Four points at the corners of a square of 2 cm; one is lifted out of the plane by 8 mm. The
  // best plane through the lifted square is off by 2 mm at each corner (heights +-, alternating);
  // in the plane nothing is left to second order. RMS 2 mm.
  MoMap bent = resting(2, 2, 2);
  move(bent, 1, 0, 0, 0, 0, 0.0008f);
  const auto values = score_samples(kId, {bent}, one_object({resting(2, 2, 2)}));
  EXPECT_NEAR(values["rigid_residual"], 0.0002, 2e-6);
}

TEST(Rigidity, AMirrorImageIsNotRigid) {
  // Tetrahedron corners x, y, z = 1 m and the origin, mirrored in z: no rotation does it.
  MoMap rest = resting(2, 2, 2);
  rest.xyz.zero_();
  for (const int64_t t : {0, 1}) {
    point(rest, t, 0, 1)[0] = point(rest, t, 1, 0)[1] = point(rest, t, 1, 1)[2] = 1;
  }
  MoMap mirrored = rest;
  mirrored.xyz = rest.xyz.clone();
  point(mirrored, 1, 1, 1)[2] = -1;
  EXPECT_GT(score_samples(kId, {mirrored}, one_object({rest}))["rigid_residual"], 0.1);
}

TEST(Rigidity, ObjectsThatBendInTruthDoNotCount) {
  MoMap bent = resting(2, 2, 2);
  move(bent, 1, 0, 0, 0, 0, 0.1f);
  EXPECT_EQ(
      score_samples(kId, {bent}, one_object({resting(2, 2, 2), bent})).reason("rigid_residual"),
      "no object of 3 valid pixels or more is rigid in truth");
}

TEST(Rigidity, SaysWhyAValueIsUndefined) {
  const MoMap rest = resting(2, 2, 2);
  EXPECT_EQ(score_samples(kId, {rest}, clip_of({rest})).reason("rigid_residual"),
            "the reference has no segments");
  EXPECT_EQ(score_samples(kId, {resting(1, 2, 2)}, one_object({resting(1, 2, 2)}))
                .reason("rigid_residual"),
            "the motion map has no frame after frame 0");
  EXPECT_EQ(score_samples(kId, {resting(2, 1, 1)}, one_object({resting(2, 1, 1)}))
                .reason("rigid_residual"),
            "no object of 3 valid pixels or more is rigid in truth");
  MoMap broken = resting(2, 2, 2);
  point(broken, 1, 0, 0)[1] = NAN;
  EXPECT_THROW(score_samples(kId, {broken}, one_object({rest})), momap::DataError);
}

}  // namespace
