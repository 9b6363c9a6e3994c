// SPDX-License-Identifier: Apache-2.0
#include <momap/base/random.h>
#include <tbb/global_control.h>

#include <algorithm>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::MoMap;

constexpr const char* kId = "metric/displacement_error";

/// Two pixels over three frames; each pixel is (frame 1, frame 2) metres to the right.
MoMap at_x(float a1, float a2, float b1, float b2) {
  MoMap map = resting(3, 1, 2);
  move(map, 1, 0, 0, a1, 0, 0), move(map, 2, 0, 0, a2, 0, 0);
  move(map, 1, 0, 1, b1, 0, 0), move(map, 2, 0, 1, b2, 0, 0);
  return map;
}

TEST(DisplacementError, EqualsHandWorkedValues) {
  // The true point a moves by 10 and 20 cm and is hidden in frame 2; b rests and is seen.
  // The sample rests at a and moves b by 3 and 0.5 cm.
  //   seen errors: a1 10, b1 3, b2 0.5 cm           ADE 4.5 cm
  //   moving: a1                                    10 cm
  //   last seen: a in frame 1, b in frame 2         FDE (10 + 0.5) / 2 = 5.25 cm
  //   within 1, 2, 5, 10, 20 cm: 1, 1, 2, 3, 3 of 3 PWT 10 / 15
  // (a1 is 10 cm off but for rounding; the next test tells a threshold's sides apart.)
  MoMap truth = at_x(0.0999f, 0.2f, 0, 0);
  truth.visible[2][0][0] = false;
  const auto values = score_samples(kId, {at_x(0, 0, 0.03f, 0.005f)}, truth);
  EXPECT_NEAR(values["ade"], 0.1349 / 3, 1e-7);
  EXPECT_NEAR(values["ade_moving"], 0.0999, 1e-7);
  EXPECT_NEAR(values["fde"], 0.1049 / 2, 1e-7);
  EXPECT_NEAR(values["pwt"], 10.0 / 15, 1e-12);
  EXPECT_NEAR(values["min_ade_1"], values["ade"], 0);
}

TEST(DisplacementError, MinimaAreOverWholeMaps) {
  // Each of two samples is right at one pixel and 8 cm off at the other. A best sample per point
  // would have no error; the best map is 4 cm off.
  const MoMap truth = at_x(0, 0, 0, 0);
  const std::vector<MoMap> samples{at_x(0, 0, 0.08f, 0.08f),         at_x(0.08f, 0.08f, 0, 0),
                                   at_x(0.1f, 0.1f, 0.1f, 0.1f),     at_x(0.1f, 0.1f, 0.1f, 0.1f),
                                   at_x(0.02f, 0.02f, 0.02f, 0.02f), at_x(0, 0, 0, 0)};
  const auto values = score_samples(kId, samples, truth);
  EXPECT_NEAR(values["min_ade_1"], 0.04, 1e-7);
  EXPECT_NEAR(values["min_ade_5"], 0.02, 1e-7);  // the sixth, which is right, is not among them
  EXPECT_NEAR(values["min_fde_5"], 0.02, 1e-7);
  EXPECT_EQ(values.reason("min_ade_16"), "there are 6 samples, fewer than 16");
  EXPECT_NEAR(values["ade"], (4 + 4 + 10 + 10 + 2 + 0) / 600.0, 1e-7);
}

TEST(DisplacementError, MinimaAreTakenForEachTrueFuture) {
  // True futures 0 and 10 cm away; samples at 1 cm (five of them, so that min_ade_5 is defined, the
  // last at 7 cm): least 1 and 3 cm.
  const auto at = [](float x) { return at_x(x, x, x, x); };
  const auto values = score_samples(kId, {at(0.01f), at(0.01f), at(0.01f), at(0.01f), at(0.07f)},
                                    clip_of({at(0), at(0.10f)}));
  EXPECT_NEAR(values["min_ade_5"], 0.02, 1e-7);
  EXPECT_NEAR(values["min_ade_1"], 0.05, 1e-7);
  // Pairs of samples: 4 of 10 are 6 cm apart.
  EXPECT_NEAR(values["diversity"], 0.024, 1e-7);
}

TEST(DisplacementError, DoesNotDependOnTheOrderOfSamplesOrThreads) {
  momap::Random random(5);
  const auto noisy = [&] {
    MoMap map = resting(4, 31, 37);
    for (int64_t i = 0; i < map.xyz.numel(); ++i) {
      map.xyz.data_ptr<float>()[i] += static_cast<float>(0.05 * random.normal());
    }
    for (int64_t i = 0; i < map.visible.numel(); ++i) {
      map.visible.data_ptr<bool>()[i] = random.uniform() < 0.7;
    }
    return map;
  };
  std::vector<MoMap> samples{noisy(), noisy(), noisy(), noisy(), noisy()};
  const momap::Clip clip = clip_of({noisy(), noisy()});
  const auto before = score_samples(kId, samples, clip);

  // By definition, in double: ADE of every sample against every true future.
  double ade = 0;
  for (const MoMap& sample : samples) {
    for (const auto& future : clip.truth) {
      const at::Tensor seen = future.motion.visible.slice(0, 1).to(at::kDouble);
      const at::Tensor error =
          (sample.xyz - future.motion.xyz).to(at::kDouble).pow(2).sum(-1).sqrt().slice(0, 1);
      ade += ((error * seen).sum() / seen.sum()).item<double>() / 10;
    }
  }
  EXPECT_NEAR(before["ade"], ade, 1e-7);

  std::ranges::reverse(samples);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const auto after = score_samples(kId, samples, clip);
  for (const char* name : {"ade", "fde", "pwt", "min_ade_5", "min_fde_5", "diversity"}) {
    EXPECT_NEAR(before[name], after[name], 1e-9) << name;
  }
  std::ranges::reverse(samples);
  const auto again = score_samples(kId, samples, clip);
  for (const auto& [name, value] : before.all()) EXPECT_EQ(value.value, again.at(name).value);
}

TEST(DisplacementError, CountsAPixelLeftOutByASampleAsResting) {
  MoMap absent = at_x(0, 0, 5, 5);
  absent.valid[0][1] = false;
  EXPECT_NEAR(score_samples(kId, {absent}, at_x(0, 0, 0.1f, 0.1f))["ade"], 0.05, 1e-7);
}

TEST(DisplacementError, SaysWhyAValueIsUndefined) {
  const auto single = score_samples(kId, {resting(1, 1, 1)}, resting(1, 1, 1));
  EXPECT_EQ(single.reason("ade"), "the motion map has no frame after frame 0");
  EXPECT_EQ(single.reason("min_fde_1"), "the motion map has no frame after frame 0");
  EXPECT_EQ(single.reason("diversity"), "there is one sample");
  const auto still = score_samples(kId, {resting(2, 1, 1)}, resting(2, 1, 1));
  EXPECT_EQ(still.reason("ade_moving"), "no visible point moves in a true future");
  EXPECT_DOUBLE_EQ(still["ade"], 0);
  MoMap hidden = resting(2, 1, 1);
  hidden.visible = at::zeros({2, 1, 1}, at::kBool);
  EXPECT_EQ(score_samples(kId, {hidden}, hidden).reason("pwt"),
            "no valid point is visible in a true future after frame 0");
}

TEST(DisplacementError, NamesThePixelThatIsNotFinite) {
  MoMap broken = resting(2, 1, 3);
  point(broken, 1, 0, 1)[2] = NAN;
  EXPECT_THROW(score_samples(kId, {broken}, resting(2, 1, 3)), momap::DataError);
  EXPECT_THROW(score_samples(kId, {resting(2, 1, 3)}, broken), momap::DataError);
}

}  // namespace
