// SPDX-License-Identifier: Apache-2.0
#include "../scoring.h"

namespace {

using namespace momap::metric::testing;
using momap::Action;
using momap::Clip;
using momap::MoMap;

constexpr const char* kId = "metric/prompt_accuracy";

/// A block of 2 x 2 px that goes (x, y) metres in each of three frames after a delay.
MoMap going(float x, float y, int64_t delay = 0) {
  MoMap map = resting(4, 2, 2);
  for (int64_t t = 1 + delay; t < 4; ++t) {
    const auto steps = static_cast<float>(t - delay);
    for (int64_t i = 0; i < 4; ++i) move(map, t, i / 2, i % 2, steps * x, steps * y, 0);
  }
  return map;
}

Action roll(const char* direction, const char* speed = "") {
  return {.segment = 2,
          .verb = "roll",
          .direction = direction,
          .speed = speed,
          .peak_at_least = *speed ? 0.1 : 0,
          .peak_below = *speed ? 0.2 : 0};
}

/// A clip that asks for the first action and knows what else could happen.
Clip asking(const std::vector<std::pair<MoMap, Action>>& futures) {
  std::vector<MoMap> motions;
  for (const auto& [motion, action] : futures) motions.push_back(motion);
  Clip clip = clip_of(motions);
  for (size_t m = 0; m < futures.size(); ++m) clip.truth[m].actions = {futures[m].second};
  clip.segments = at::full({2, 2}, 2, at::kInt);
  return clip;
}

TEST(PromptAccuracy, AsksForDirectionAxisAndSpeed) {
  // Asked: right, peak 0.1 to 0.2 m; truth 0.15 m. Samples, with what is right of direction, axis,
  // speed:
  //   the same, later          + + +   (0.05 m a frame for 2 frames: 0.1 m)
  //   twice as fast            + + -
  //   left                     - + +
  //   down                     - - +
  //   at rest                  - - -
  const Clip clip = asking({{going(0.05f, 0), roll("right", "slow")}});
  const auto values = score_samples(
      kId, {going(0.0501f, 0, 1), going(0.1f, 0), going(-0.05f, 0), going(0, 0.05f), going(0, 0)},
      clip);
  EXPECT_DOUBLE_EQ(values["prompt_direction"], 2.0 / 5);
  EXPECT_DOUBLE_EQ(values["prompt_axis"], 3.0 / 5);
  EXPECT_DOUBLE_EQ(values["prompt_speed"], 3.0 / 5);
  EXPECT_DOUBLE_EQ(values["prompt_accuracy"], 1.0 / 5);
}

TEST(PromptAccuracy, WhatIsLeftOpenIsNotAskedFor) {
  const Clip clip = asking({{going(0.05f, 0), roll("")}});
  const auto values = score_samples(kId, {going(-0.2f, 0), going(0, 0.1f)}, clip);
  EXPECT_DOUBLE_EQ(values["prompt_accuracy"], 0.5);  // left is along the axis, down is not
  EXPECT_EQ(values.reason("prompt_direction"), "the prompt leaves the direction open");
  EXPECT_EQ(values.reason("prompt_speed"), "the prompt leaves the speed open");
}

TEST(PromptAccuracy, AnyTrueFutureThatDoesTheSameIsRight) {
  // "Roll away" has two ways; another verb's way does not help.
  Action slide = roll("away");
  slide.verb = "slide";
  const Clip clip = asking({{going(0.05f, 0), roll("away")},
                            {going(0, 0.05f), roll("away")},
                            {going(0, -0.05f), slide}});
  EXPECT_DOUBLE_EQ(score_samples(kId, {going(0, 0.03f)}, clip)["prompt_direction"], 1);
  EXPECT_DOUBLE_EQ(score_samples(kId, {going(0, -0.03f)}, clip)["prompt_direction"], 0);
}

TEST(PromptAccuracy, PartsWithAJointAreAskedForTheirAxis) {
  Clip clip = asking({{going(0.05f, 0), roll("")}});
  clip.joints = {
      {.kind = momap::Joint::Kind::slide, .segment = 2, .origin = {}, .axis = {1, 0, 0}}};
  // 18 and 27 degrees off, against 20.
  const auto values = score_samples(kId, {going(-0.06f, 0.02f), going(0.04f, 0.02f)}, clip);
  EXPECT_DOUBLE_EQ(values["prompt_axis"], 0.5);
  EXPECT_DOUBLE_EQ(
      score_samples(kId, {going(0.04f, 0.02f)}, clip, "{most_axis_error_deg: 30}")["prompt_axis"],
      1);
}

TEST(PromptAccuracy, SaysWhyAValueIsUndefined) {
  const MoMap motion = going(0.05f, 0);
  EXPECT_EQ(score_samples(kId, {motion}, clip_of({motion})).reason("prompt_accuracy"),
            "the prompt names no action of a visible object");
  Clip clip = asking({{resting(1, 2, 2), roll("right")}});
  EXPECT_EQ(score_samples(kId, {resting(1, 2, 2)}, clip).reason("prompt_axis"),
            "the motion map has no frame after frame 0");
  MoMap broken = motion;
  broken.xyz = motion.xyz.clone();
  point(broken, 2, 1, 1)[0] = NAN;
  EXPECT_THROW(score_samples(kId, {broken}, asking({{motion, roll("right")}})), momap::DataError);
}

}  // namespace
