// SPDX-License-Identifier: Apache-2.0
#include <momap/base/random.h>

#include "../frechet_distance.h"
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Datum;
using momap::MoMap;
using momap::metric::FeatureMoments;
using momap::metric::Features;

constexpr const char* kId = "metric/fvmd";

TEST(FrechetDistance, OfGaussiansOnALineIsKnown) {
  // Values 0, 2 (mean 1, variance 2) and 3, 11 (mean 7, variance 32): 6^2 + (sqrt 32 - sqrt 2)^2.
  const Features a{{0.0}, {2.0}}, b{{3.0}, {11.0}};
  FeatureMoments x, y;
  x.add(a), y.add(b);
  EXPECT_NEAR(frechet_distance(x, y), 54, 1e-9);
  EXPECT_NEAR(momap::metric::frechet_distance(a, b), 54, 1e-9);
}

TEST(FrechetDistance, OfGaussiansThatDoNotShareAxes) {
  // Covariances S = diag(4, 1) and R = [[2.5, -1.5], [-1.5, 2.5]], which is diag(1, 4) turned by 45
  // degrees. S R has trace 4 * 2.5 + 2.5 = 12.5 and determinant 16, so the trace of its root is
  // sqrt(12.5 + 2 sqrt(16)) = sqrt(20.5): distance 5 + 5 - 2 sqrt(20.5), at equal means.
  // Four points +-s along one axis and +-s/2 along the other have variances 2 s^2 / 3, s^2 / 6.
  const double s = std::sqrt(6.0), h = std::sqrt(0.5);
  const Features a{{s, 0}, {-s, 0}, {0, s / 2}, {0, -s / 2}};
  const Features b{
      {s * h, -s * h}, {-s * h, s * h}, {s / 2 * h, s / 2 * h}, {-s / 2 * h, -s / 2 * h}};
  EXPECT_NEAR(momap::metric::frechet_distance(a, b), 10 - 2 * std::sqrt(20.5), 1e-9);
  FeatureMoments x, y;
  x.add(a), y.add(b);
  EXPECT_NEAR(frechet_distance(x, y), 10 - 2 * std::sqrt(20.5), 1e-9);
}

TEST(FrechetDistance, DoesNotDependOnHowVectorsAreBatched) {
  momap::Random random(4);
  Features a(30, 6), b(12, 6);
  for (Features* f : {&a, &b}) {
    for (Eigen::Index i = 0; i < f->size(); ++i) f->data()[i] = 100 + random.normal();
  }
  FeatureMoments whole, parts, other;
  whole.add(a), other.add(b);
  parts.add(a.topRows(7)), parts.add(a.middleRows(7, 1)), parts.add(a.bottomRows(22));
  EXPECT_NEAR(frechet_distance(whole, other), frechet_distance(parts, other), 1e-9);
  EXPECT_NEAR(frechet_distance(whole, other), momap::metric::frechet_distance(a, b), 1e-9);
  EXPECT_NEAR(frechet_distance(whole, whole), 0, 1e-9);
}

/// 20 x 20 px; in each frame from `start` on, all points go by `px` px at 256 px across (a pixel of
/// this map is 12.8 of them, and 2 cm).
MoMap going(float px, int64_t start = 1, int64_t frames = 16) {
  MoMap map = resting(frames, 20, 20);
  for (int64_t t = start; t < frames; ++t) {
    const float way = px * static_cast<float>(t - start + 1) / 12.8f * 0.02f;
    for (int64_t i = 0; i < 400; ++i) move(map, t, i / 20, i % 20, way, 0, 0);
  }
  return map;
}

momap::Score score_raw(const std::vector<MoMap>& samples, const Datum& reference) {
  const std::vector<Datum> data(samples.begin(), samples.end());
  std::vector<const Datum*> pointers;
  for (const Datum& datum : data) pointers.push_back(&datum);
  return score_of(kId, {{"samples", pointers}, {"reference", {&reference}}});
}

TEST(Fvmd, FeaturesAreDirectionHistogramsOfCubes) {
  // All points go 3 px along x from frame 1 on. Velocities: 15 of 3 px, in direction bin 4 (angle
  // 0 starts the fifth of eight eighths from -pi): cubes of 25 points hold 3 frames (frame 0 has
  // none) * 25 * 3 px = 225 in the first four frames and 300 in the others. Acceleration: 3 px in
  // frame 1 alone, 75 in the first cubes.
  const at::Tensor features = score_raw({going(3)}, going(3)).features.at("result");
  ASSERT_EQ(features.sizes(), (std::vector<int64_t>{1, 1024}));
  const at::Tensor cubes = features.reshape({2, 4, 4, 4, 8});
  for (int64_t time = 0; time < 4; ++time) {
    EXPECT_NEAR(cubes[0][time][1][2][4].item<float>(), time == 0 ? 225 : 300, 1e-2);
    EXPECT_NEAR(cubes[1][time][3][0].sum().item<float>(), time == 0 ? 75 : 0, 1e-2);
  }
  EXPECT_NEAR(features.sum().item<double>(), 16 * (225 + 3 * 300 + 75), 0.5);
}

TEST(Fvmd, WindowsOverlap) {
  EXPECT_EQ(score_raw({going(1, 1, 24)}, going(1, 1, 24)).features.at("result").size(0), 2);
  EXPECT_EQ(score_raw({going(1, 1, 23)}, going(1, 1, 23)).features.at("result").size(0), 1);
}

TEST(Fvmd, OfASceneIsZeroForItsOwnMotionsAndGrowsWithTheDifference) {
  const momap::Clip clip = clip_of({going(2), going(4)});
  EXPECT_NEAR(Values(score_raw({going(4), going(2)}, clip))["fvmd_s"], 0, 1e-3);
  const double near = Values(score_raw({going(3), going(5)}, clip))["fvmd_s"];
  const double rest = Values(score_raw({going(0), going(0)}, clip))["fvmd_s"];
  EXPECT_GT(near, 1);
  EXPECT_GT(rest, near);
}

TEST(Fvmd, PoolsAllSamplesOfARun) {
  const auto metric = momap::testing::make_plugin<momap::Metric>(kId);
  const auto pool = metric->pool();
  EXPECT_EQ(Values(pool->total()).reason("fvmd"), "two vectors of each set are needed at least");
  // The same motions in other scenes: no distance. Then what no true future shows.
  pool->add(score_raw({going(2)}, going(4)));
  pool->add(score_raw({going(4)}, going(2)));
  EXPECT_NEAR(Values(pool->total())["fvmd"], 0, 1e-3);
  EXPECT_EQ(Values(pool->total())["fvmd_vectors"], 2);
  pool->add(score_raw({going(9)}, going(3)));
  EXPECT_GT(Values(pool->total())["fvmd"], 1);
}

TEST(Fvmd, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score_samples(kId, {resting(15, 2, 2)}, resting(15, 2, 2)).reason("fvmd_s"),
            "the motion has 15 frames, fewer than 16");
  EXPECT_EQ(score_samples(kId, {going(1)}, going(1)).reason("fvmd_s"),
            "two samples and two true futures are needed at least");
  const auto single = score_samples(kId, {resting(16, 1, 1), resting(16, 1, 1)},
                                    clip_of({resting(16, 1, 1), resting(16, 1, 1)}));
  EXPECT_DOUBLE_EQ(single["fvmd_s"], 0);
  MoMap broken = going(1);
  point(broken, 3, 10, 10)[0] = NAN;
  EXPECT_THROW(score_raw({broken}, going(1)), momap::DataError);
}

}  // namespace
