// SPDX-License-Identifier: Apache-2.0
#include <momap/base/random.h>
#include <tbb/global_control.h>

#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::MoMap;

constexpr const char* kId = "metric/motion_agreement";

/// Two frames; each pixel moves by (x, y) metres. With two frames the smoothed displacement of
/// frame 1 is the mean of frames 0 and 1: half of it.
MoMap moved(const std::vector<std::array<float, 2>>& by) {
  MoMap map = resting(2, 1, static_cast<int64_t>(by.size()));
  for (size_t i = 0; i < by.size(); ++i) {
    move(map, 1, 0, static_cast<int64_t>(i), by[i][0], by[i][1], 0);
  }
  return map;
}

TEST(MotionAgreement, EqualsHandWorkedValues) {
  // Four pixels. Lengths in cm, predicted and true; all halved by smoothing, which cancels:
  //   10 along x against 20 along x:    min 10, max 20, aligned 10
  //   10 along y against 10 along x:    min 10, max 10, aligned 0 (at a right angle)
  //   10 along -x against 10 along x:   min 10, max 10, aligned 0 (backwards)
  //   10 along x against rest:          min 0,  max 10, aligned 0
  // TVO = VVO = 10 / 50, MoveIoU = 30 / 50; three pixels move in both, one in the sample alone:
  // MoveF1 = 6 / 7; ratio = 40 / 40; DQS = sqrt(0.2 * 6 / 7).
  const MoMap sample = moved({{0.1f, 0}, {0, 0.1f}, {-0.1f, 0}, {0.1f, 0}});
  const MoMap truth = moved({{0.2f, 0}, {0.1f, 0}, {0.1f, 0}, {0, 0}});
  const auto values = score_samples(kId, {sample}, truth);
  EXPECT_NEAR(values["tvo"], 0.2, 1e-6);
  EXPECT_NEAR(values["vvo"], 0.2, 1e-6);
  EXPECT_NEAR(values["move_iou"], 0.6, 1e-6);
  EXPECT_NEAR(values["move_f1"], 6.0 / 7, 1e-12);
  EXPECT_NEAR(values["motion_ratio"], 1, 1e-6);
  EXPECT_NEAR(values["dqs"], std::sqrt(0.2 * 6 / 7), 1e-6);
}

TEST(MotionAgreement, SmoothsOverThreeFrames) {
  // True displacements 0, 3, 6, 9 cm, predicted 0, 0, 9, 0 cm (frames 0 to 3). Smoothed: true 3, 6,
  // 7.5; predicted 3, 3, 4.5. TVO = (3 + 3 + 4.5) / (3 + 6 + 7.5) = 10.5 / 16.5.
  // Velocities: true 3, 3, 1.5; predicted 3, 0, 1.5: VVO = 4.5 / 7.5.
  MoMap truth = resting(4, 1, 1), sample = resting(4, 1, 1);
  for (int64_t t = 1; t < 4; ++t) move(truth, t, 0, 0, 0.03f * static_cast<float>(t), 0, 0);
  move(sample, 2, 0, 0, 0.09f, 0, 0);
  const auto values = score_samples(kId, {sample}, truth);
  EXPECT_NEAR(values["tvo"], 10.5 / 16.5, 1e-6);
  EXPECT_NEAR(values["vvo"], 4.5 / 7.5, 1e-6);
}

TEST(MotionAgreement, ComparesEachSampleWithTheNearestTrueFuture) {
  const MoMap left = moved({{-0.1f, 0}}), right = moved({{0.1f, 0}}), rest = moved({{0, 0}});
  const auto values = score_samples(kId, {right, left, right}, clip_of({left, right}));
  EXPECT_NEAR(values["tvo"], 1, 1e-6);
  EXPECT_NEAR(values["dqs"], 1, 1e-6);
  const auto timid = score_samples(kId, {rest, right}, clip_of({left, right}));
  EXPECT_NEAR(timid["tvo"], 0.5, 1e-6);  // mean of 0 and 1
  EXPECT_NEAR(timid["motion_ratio"], 0.5, 1e-6);
}

TEST(MotionAgreement, IsTheSameForAnyNumberOfThreadsAndOrderOfSamples) {
  momap::Random random(2);
  const auto noisy = [&] {
    MoMap map = resting(5, 17, 23);
    for (int64_t i = 0; i < map.xyz.numel(); ++i) {
      map.xyz.data_ptr<float>()[i] += static_cast<float>(0.02 * random.normal());
    }
    return map;
  };
  const MoMap a = noisy(), b = noisy();
  const momap::Clip clip = clip_of({noisy(), noisy()});
  const auto many = score_samples(kId, {a, b}, clip);
  const auto swapped = score_samples(kId, {b, a}, clip);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const auto single = score_samples(kId, {a, b}, clip);
  for (const auto& [name, value] : many.all()) {
    EXPECT_EQ(value.value, single.at(name).value) << name;
    EXPECT_NEAR(*value.value, swapped[name], 1e-12) << name;
  }
}

TEST(MotionAgreement, SaysWhyAValueIsUndefined) {
  EXPECT_EQ(score_samples(kId, {resting(1, 2, 2)}, resting(1, 2, 2)).reason("tvo"),
            "the motion map has no frame after frame 0");
  const auto still = score_samples(kId, {resting(3, 1, 1)}, resting(3, 1, 1));
  EXPECT_EQ(still.reason("tvo"), "nothing moves, neither in a sample nor in truth");
  EXPECT_EQ(still.reason("move_f1"), "no pixel moves, neither in a sample nor in truth");
  const auto wild = score_samples(kId, {moved({{0.1f, 0}})}, resting(2, 1, 1));
  EXPECT_DOUBLE_EQ(wild["tvo"], 0);
  EXPECT_EQ(wild.reason("motion_ratio"),
            "nothing moves in the true futures nearest to the samples");
}

TEST(MotionAgreement, NamesThePixelThatIsNotFinite) {
  MoMap broken = resting(2, 1, 3);
  point(broken, 1, 0, 1)[2] = NAN;
  EXPECT_THROW(score_samples(kId, {broken}, resting(2, 1, 3)), momap::DataError);
}

}  // namespace
