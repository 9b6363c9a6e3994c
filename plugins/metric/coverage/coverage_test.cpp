// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>

#include <map>

namespace {

std::map<std::string, momap::ScoreValue> score(const momap::Datum& result) {
  momap::Inputs inputs;
  inputs.add("result", {&result});
  std::map<std::string, momap::ScoreValue> out;
  for (const auto& value : momap::testing::make_plugin<momap::Metric>("metric/coverage")
                               ->score(inputs, momap::testing::context())
                               .values) {
    EXPECT_EQ(value.value.has_value(), value.undefined_reason.empty());
    out[value.name] = value;
  }
  return out;
}

/// Frame 0 all covered; of the 8 pixels of frames 1 and 2, three are holes; 2 points are dropped in
/// each.
momap::PartialClip partial_clip() {
  momap::PartialClip partial{at::zeros({3, 2, 2, 3}, at::kByte), at::ones({3, 2, 2}, at::kBool),
                             at::ones({3, 2, 2}), at::zeros({3, momap::kDropReasons}, at::kLong),
                             10};
  partial.dropped[0][0] = 4;
  partial.dropped[1][2] = 2;
  partial.dropped[2].slice(0, 3, 5).fill_(1);
  partial.covered[1][0][0] = false;
  partial.covered[2][0][1] = false;
  partial.covered[2][1][1] = false;
  return partial;
}

TEST(Coverage, CountsHolesAndDroppedPointsAfterFrameZero) {
  auto values = score(partial_clip());
  EXPECT_DOUBLE_EQ(*values["coverage"].value, 5.0 / 8);
  EXPECT_DOUBLE_EQ(*values["hole_ratio"].value, 3.0 / 8);
  EXPECT_DOUBLE_EQ(*values["dropped_points"].value, 4.0 / 8);
  EXPECT_EQ(values["coverage"].direction, momap::Direction::higher_is_better);
  EXPECT_EQ(values["hole_ratio"].direction, momap::Direction::lower_is_better);
}

TEST(Coverage, ReadsTheMaskOfACompletedClip) {
  momap::Clip clip;
  clip.frames = partial_clip().frames;
  clip.covered = partial_clip().covered;
  auto values = score(clip);
  EXPECT_DOUBLE_EQ(*values["hole_ratio"].value, 3.0 / 8);
  EXPECT_FALSE(values["dropped_points"].value);
}

TEST(Coverage, SaysWhyAValueIsUndefined) {
  momap::Clip clip;
  clip.frames = at::zeros({2, 2, 2, 3}, at::kByte);
  for (const auto& [name, value] : score(clip)) {
    EXPECT_EQ(value.undefined_reason, "the result has no 'covered' mask") << name;
  }
  momap::PartialClip single = partial_clip();
  single.covered = single.covered.slice(0, 0, 1);
  single.dropped = single.dropped.slice(0, 0, 1);
  for (const auto& [name, value] : score(single)) EXPECT_FALSE(value.value) << name;
}

TEST(Coverage, RefusesCountsThatDoNotFit) {
  momap::PartialClip partial = partial_clip();
  partial.dropped = at::zeros({3}, at::kLong);
  EXPECT_THROW(score(partial), momap::DataError);
}

}  // namespace
