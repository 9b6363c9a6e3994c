// SPDX-License-Identifier: Apache-2.0
#include <numbers>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Clip;

constexpr const char* kId = "metric/camera_path";

/// A clip whose camera is at these places, turned about z by these angles.
Clip path(const std::vector<std::array<double, 3>>& centres, const std::vector<double>& radians) {
  const auto frames = static_cast<int64_t>(centres.size());
  Clip clip;
  clip.frames = at::zeros({frames, 1, 1, 3}, at::kByte);
  clip.cam_from_world = at::zeros({frames, 4, 4}, at::kDouble);
  for (int64_t t = 0; t < frames; ++t) {
    const auto [x, y, z] = centres[t];
    const double c = std::cos(radians[t]), s = std::sin(radians[t]);
    const double pose[16] = {c, s, 0, -(c * x + s * y), -s, c, 0, s * x - c * y, 0, 0, 1, -z, 0,
                             0, 0, 1};
    std::copy_n(pose, 16, clip.cam_from_world->data_ptr<double>() + 16 * t);
  }
  return clip;
}

TEST(CameraPath, ASimilarityIsNoErrorButItsScaleIsStated) {
  const Clip truth =
      path({{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0}}, std::vector<double>(4, 0.0));
  EXPECT_NEAR(score_pair(kId, truth, truth)["ate"], 0, 1e-12);
  // Twice as large, elsewhere and turned.
  const Clip twice = path({{5, 3, 1}, {5, 5, 1}, {3, 5, 1}, {3, 3, 1}},
                          std::vector<double>(4, std::numbers::pi / 2));
  const auto values = score_pair(kId, twice, truth);
  EXPECT_NEAR(values["ate"], 0, 1e-12);
  EXPECT_NEAR(values["rpe_translation"], 0, 1e-12);
  EXPECT_NEAR(values["rpe_rotation"], 0, 1e-6);
  EXPECT_NEAR(values["log_scale_error"], std::log(2), 1e-12);
}

TEST(CameraPath, AteOfPointsOnALine) {
  // Centres 0, 1, 2 m against 0, 1, 3 m along x. The best similarity is the regression line:
  // slope 3/2, means 1 and 4/3, residuals 1/6, -1/3, 1/6: ATE sqrt((1 + 4 + 1) / 36 / 3).
  // Umeyama's scale is slope for points on a line. Steps 1.5, 1.5 against 1, 2: RPE 0.5 m.
  const std::vector<double> straight(3, 0.0);
  const auto values = score_pair(kId, path({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}, straight),
                                 path({{0, 0, 0}, {1, 0, 0}, {3, 0, 0}}, straight));
  EXPECT_NEAR(values["ate"], std::sqrt(1.0 / 18), 1e-12);
  EXPECT_NEAR(values["rpe_translation"], 0.5, 1e-12);
  EXPECT_NEAR(values["log_scale_error"], std::log(1.5), 1e-12);
}

TEST(CameraPath, RotationsAreComparedStepByStep) {
  // Turns of 10 and 0 degrees against none: root mean square 10 / sqrt(2).
  const double ten = std::numbers::pi / 18;
  const auto values = score_pair(kId, path({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}, {0, ten, ten}),
                                 path({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}, {0, 0, 0}));
  EXPECT_NEAR(values["rpe_rotation"], 10 / std::sqrt(2), 1e-9);
}

TEST(CameraPath, ARestingCameraHasNoScale) {
  // Against a true path that rests, centres -1, 0, 1 m from their mean stay: ATE sqrt(2 / 3).
  const std::vector<double> straight(3, 0.0);
  const auto values = score_pair(kId, path({{4, 0, 0}, {5, 0, 0}, {6, 0, 0}}, straight),
                                 path({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, straight));
  EXPECT_NEAR(values["ate"], std::sqrt(2.0 / 3), 1e-12);
  EXPECT_NEAR(values["rpe_translation"], 1, 1e-12);
  EXPECT_EQ(values.reason("log_scale_error"),
            "one of the two cameras does not move, so there is no scale");
}

TEST(CameraPath, SaysWhyAValueIsUndefined) {
  const Clip known = path({{0, 0, 0}, {1, 0, 0}}, {0, 0});
  Clip unknown = known;
  unknown.cam_from_world.reset();
  EXPECT_EQ(score_pair(kId, unknown, known).reason("ate"), "the result has no camera path");
  EXPECT_EQ(score_pair(kId, known, unknown).reason("ate"), "the reference has no camera path");
  const Clip single = path({{0, 0, 0}}, {0});
  EXPECT_EQ(score_pair(kId, single, single).reason("rpe_rotation"),
            "a path has two frames at least");
  EXPECT_THROW(score_pair(kId, single, known), momap::DataError);
}

}  // namespace
