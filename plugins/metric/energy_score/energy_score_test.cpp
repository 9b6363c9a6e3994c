// SPDX-License-Identifier: Apache-2.0
#include <momap/base/random.h>
#include <tbb/global_control.h>

#include <algorithm>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::MoMap;

constexpr const char* kId = "metric/energy_score";

/// Two frames, 1 x 1 px, `x` metres to the right in frame 1.
MoMap at_x(float x) {
  MoMap map = resting(2, 1, 1);
  move(map, 1, 0, 0, x, 0, 0);
  return map;
}

TEST(EnergyScore, EqualsHandWorkedValues) {
  // Samples at 0, 4, 9.5 cm, true futures at 0 and 8 cm. Distances:
  //   to 0: 0, 4, 9.5   to 8: 8, 4, 1.5   mean 4.5 cm
  //   between samples: 4, 9.5, 5.5         mean 19 / 3 cm
  // Energy score 4.5 - 19/6 = 4/3 cm. MMD^2 = 2 * 4.5 - 19/3 - 8 = -16/3 cm.
  // Within 1 cm: one true future of two, one sample of three. Within 2 cm: both true futures (0 at
  // 0, 9.5 at 8), two samples. Within 5 cm: all.
  const auto values =
      score_samples(kId, {at_x(0), at_x(0.04f), at_x(0.095f)}, clip_of({at_x(0), at_x(0.08f)}));
  EXPECT_NEAR(values["energy_score"], 0.04 / 3, 1e-7);
  EXPECT_NEAR(values["mmd2"], -0.16 / 3, 1e-7);
  EXPECT_DOUBLE_EQ(values["coverage_1cm"], 1.0 / 2);
  EXPECT_DOUBLE_EQ(values["precision_1cm"], 1.0 / 3);
  EXPECT_DOUBLE_EQ(values["coverage_2cm"], 1);
  EXPECT_DOUBLE_EQ(values["precision_2cm"], 2.0 / 3);
  EXPECT_DOUBLE_EQ(values["coverage_5cm"], 1);
  EXPECT_DOUBLE_EQ(values["precision_5cm"], 1);
}

TEST(EnergyScore, OfOneSampleIsItsDistance) {
  const auto values = score_samples(kId, {at_x(0.03f)}, at_x(0));
  EXPECT_NEAR(values["energy_score"], 0.03, 1e-8);
  EXPECT_EQ(values.reason("mmd2"), "two samples and two true futures are needed at least");
}

TEST(EnergyScore, WeighsAPointByTheShareOfTrueFuturesThatSeeIt) {
  // Two pixels, one later frame. Pixel 0 is seen in both true futures, pixel 1 in one of two, so
  // the weights are 1 and 1/2 whichever future is compared. The sample is off by 3 cm at pixel 0
  // and by 6 cm at pixel 1: sqrt((9 + 36 / 2) / 1.5) = sqrt(18) cm.
  MoMap seen = resting(2, 1, 2), hidden = seen;
  hidden.visible = seen.visible.clone();
  hidden.visible[1][0][1] = false;
  MoMap sample = seen;
  sample.xyz = seen.xyz.clone();
  move(sample, 1, 0, 0, 0.03f, 0, 0);
  move(sample, 1, 0, 1, 0, 0.06f, 0);
  EXPECT_NEAR(score_samples(kId, {sample}, clip_of({seen, hidden}))["energy_score"],
              0.01 * std::sqrt(18), 1e-7);
  EXPECT_NEAR(score_samples(kId, {sample}, hidden)["energy_score"], 0.03, 1e-7);
}

TEST(EnergyScore, CountsAPixelLeftOutByASampleAsResting) {
  MoMap moving = resting(2, 1, 2), absent = moving;
  moving.xyz = moving.xyz.clone();
  move(moving, 1, 0, 1, 0.1f, 0, 0);
  absent.valid = absent.valid.clone();
  absent.valid[0][1] = false;
  absent.xyz = absent.xyz.clone();
  point(absent, 1, 0, 1)[0] = NAN;
  EXPECT_NEAR(score_samples(kId, {absent}, moving)["energy_score"], std::sqrt(0.01 / 2), 1e-7);
}

TEST(EnergyScore, DoesNotDependOnTheOrderOfSamplesOrOnWhereTheWorldIs) {
  momap::Random random(3);
  const auto noisy = [&] {
    MoMap map = resting(3, 5, 7);
    for (int64_t i = 0; i < map.xyz.numel(); ++i) {
      map.xyz.data_ptr<float>()[i] += static_cast<float>(0.1 * random.normal());
    }
    return map;
  };
  std::vector<MoMap> samples{noisy(), noisy(), noisy(), noisy()}, truths{noisy(), noisy()};
  const auto before = score_samples(kId, samples, clip_of(truths));
  std::ranges::reverse(samples);
  for (auto* maps : {&samples, &truths}) {
    for (MoMap& map : *maps) map.xyz = map.xyz + 0.5;
  }
  const auto after = score_samples(kId, samples, clip_of(truths));
  for (const auto& [name, value] : before.all()) EXPECT_NEAR(*value.value, after[name], 1e-6);
}

TEST(EnergyScore, IsTheSameForAnyNumberOfThreads) {
  // More points than one task takes, and no whole number of them a frame.
  MoMap truth = resting(5, 101, 103), sample = truth;
  momap::Random random(1);
  sample.xyz = truth.xyz.clone();
  for (int64_t i = 0; i < sample.xyz.numel(); ++i) {
    sample.xyz.data_ptr<float>()[i] += static_cast<float>(random.normal());
  }
  const double many = score_samples(kId, {sample, truth}, truth)["energy_score"];
  double sum = 0;
  for (int64_t t = 1; t < 5; ++t) {
    sum += (sample.xyz[t] - truth.xyz[t]).to(at::kDouble).pow(2).sum().item<double>();
  }
  const double distance = std::sqrt(sum / (4 * 101 * 103));
  // Two samples, at `distance` and at 0 from the truth: (d + 0) / 2 - d / 2.
  EXPECT_NEAR(many, 0, 1e-7);
  EXPECT_NEAR(score_samples(kId, {sample}, truth)["energy_score"], distance, 1e-5);
  const double one_sample = score_samples(kId, {sample}, truth)["energy_score"];
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_EQ(one_sample, score_samples(kId, {sample}, truth)["energy_score"]);
}

TEST(EnergyScore, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score_samples(kId, {resting(1, 1, 1)}, resting(1, 1, 1)).reason("energy_score"),
            "the motion map has no frame after frame 0");
  MoMap invalid = resting(2, 1, 1);
  invalid.valid = at::zeros({1, 1}, at::kBool);
  EXPECT_EQ(score_samples(kId, {resting(2, 1, 1)}, invalid).reason("mmd2"),
            "no pixel is valid in all true futures");
  MoMap hidden = resting(2, 1, 1);
  hidden.visible = at::zeros({2, 1, 1}, at::kBool);
  EXPECT_EQ(score_samples(kId, {resting(2, 1, 1)}, hidden).reason("coverage_1cm"),
            "no valid point is visible in any true future after frame 0");
}

TEST(EnergyScore, NamesTheSampleAndPixelThatIsNotFinite) {
  MoMap broken = resting(3, 2, 3);
  point(broken, 2, 1, 2)[0] = INFINITY;
  try {
    score_samples(kId, {resting(3, 2, 3), broken}, resting(3, 2, 3));
    FAIL();
  } catch (const momap::DataError& error) {
    EXPECT_NE(std::string(error.what()).find("sample 1: frame 2, pixel x = 2, y = 1"),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(score_samples(kId, {resting(3, 2, 2)}, resting(3, 2, 3)), momap::DataError);
}

}  // namespace
