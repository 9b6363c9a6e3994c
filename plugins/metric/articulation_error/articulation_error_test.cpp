// SPDX-License-Identifier: Apache-2.0
#include <numbers>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;
using momap::Joint;
using momap::MoMap;

constexpr const char* kId = "metric/articulation_error";

/// Turns all points about the axis (sin tilt, cos tilt, 0) through (0, 0, 2), 0.2 radians a frame.
MoMap swinging(double tilt, int64_t frames = 4) {
  MoMap map = resting(frames, 3, 4);
  const double ax = std::sin(tilt), ay = std::cos(tilt);
  for (int64_t t = 1; t < frames; ++t) {
    const double angle = 0.2 * static_cast<double>(t), c = std::cos(angle), s = std::sin(angle);
    for (int64_t y = 0; y < 3; ++y) {
      for (int64_t x = 0; x < 4; ++x) {
        float* p = point(map, t, y, x);
        const double px = p[0], py = p[1], pz = p[2] - 2;
        const double along = (ax * px + ay * py) * (1 - c);
        p[0] = static_cast<float>(px * c + ay * pz * s + ax * along);
        p[1] = static_cast<float>(py * c - ax * pz * s + ay * along);
        p[2] = static_cast<float>(2 + pz * c + (ax * py - ay * px) * s);
      }
    }
  }
  return map;
}

MoMap sliding(float dx, float dy) {
  MoMap map = resting(2, 3, 4);
  for (int64_t y = 0; y < 3; ++y) {
    for (int64_t x = 0; x < 4; ++x) move(map, 1, y, x, dx, dy, 0);
  }
  return map;
}

Clip held(const MoMap& truth, Joint::Kind kind, std::array<double, 3> axis) {
  Clip clip = clip_of({truth});
  clip.segments = at::full({3, 4}, 5, at::kInt);
  clip.joints = {{.kind = kind, .segment = 5, .origin = {0, 0, 2}, .axis = axis}};
  return clip;
}

TEST(ArticulationError, OfAHingeIsTheAngleBetweenTheAxes) {
  // Axis y in truth; samples turn about y, about an axis 30 degrees off, and about -y.
  const Clip clip = held(swinging(0), Joint::Kind::hinge, {0, 1, 0});
  const double tilt = std::numbers::pi / 6;
  EXPECT_NEAR(score_samples(kId, {swinging(0)}, clip)["articulation_error"], 0, 1e-3);
  EXPECT_NEAR(score_samples(kId, {swinging(tilt)}, clip)["articulation_error"], 30, 1e-3);
  EXPECT_NEAR(score_samples(kId, {swinging(std::numbers::pi)}, clip)["articulation_error"], 0,
              1e-3);
}

TEST(ArticulationError, OfASlideIsTheAngleBetweenTheDirections) {
  const Clip clip = held(sliding(0.1f, 0), Joint::Kind::slide, {1, 0, 0});
  EXPECT_NEAR(score_samples(kId, {sliding(-0.2f, 0)}, clip)["articulation_error"], 0, 1e-3);
  EXPECT_NEAR(score_samples(kId, {sliding(0.1f, 0.1f)}, clip)["articulation_error"], 45, 1e-3);
}

TEST(ArticulationError, RestingCountsAsWorst) {
  const Clip clip = held(sliding(0.1f, 0), Joint::Kind::slide, {1, 0, 0});
  const auto values = score_samples(kId, {resting(2, 3, 4), sliding(0.1f, 0)}, clip);
  EXPECT_NEAR(values["articulation_error"], 45, 1e-3);
  EXPECT_DOUBLE_EQ(values["articulation_at_rest"], 0.5);
  const Clip hinge = held(swinging(0), Joint::Kind::hinge, {0, 1, 0});
  EXPECT_DOUBLE_EQ(score_samples(kId, {resting(4, 3, 4)}, hinge)["articulation_error"], 90);
}

TEST(ArticulationError, SaysWhyAValueIsUndefined) {
  const char* reason =
      "the reference has no joint whose part moves in truth and shows 3 valid pixels";
  EXPECT_EQ(score_samples(kId, {sliding(0.1f, 0)}, clip_of({sliding(0.1f, 0)}))
                .reason("articulation_error"),
            reason);
  const Clip still = held(resting(2, 3, 4), Joint::Kind::slide, {1, 0, 0});
  EXPECT_EQ(score_samples(kId, {sliding(0.1f, 0)}, still).reason("articulation_error"), reason);
  MoMap broken = sliding(0.1f, 0);
  point(broken, 1, 0, 0)[1] = NAN;
  const Clip clip = held(sliding(0.1f, 0), Joint::Kind::slide, {1, 0, 0});
  EXPECT_THROW(score_samples(kId, {broken}, clip), momap::DataError);
}

}  // namespace
