// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>

#include <limits>
#include <map>

namespace {

std::map<std::string, momap::ScoreValue> score(const momap::Datum& result,
                                               const momap::Datum& reference,
                                               const std::string& params = "{}") {
  momap::Inputs inputs;
  inputs.add("result", {&result});
  inputs.add("reference", {&reference});
  std::map<std::string, momap::ScoreValue> out;
  for (const auto& value : momap::testing::make_plugin<momap::Metric>("metric/epe3d", params)
                               ->score(inputs, momap::testing::context())
                               .values) {
    EXPECT_EQ(value.value.has_value(), value.undefined_reason.empty());
    out[value.name] = value;
  }
  return out;
}

/// Three frames of 1 x 4 points at 2 m. Point 3 moves along x by 1 m a frame; the others rest.
momap::MoMap truth() {
  momap::MoMap map{at::zeros({3, 1, 4, 3}),
                   at::ones({3, 1, 4}, at::kBool),
                   at::ones({1, 4}, at::kBool),
                   {10, 10, 2, 0, 4, 1}};
  map.xyz.select(-1, 2).fill_(2.0f);
  map.xyz[1][0][3][0] = 1.0f;
  map.xyz[2][0][3][0] = 2.0f;
  return map;
}

momap::MoMap copy(const momap::MoMap& map) {
  return {map.xyz.clone(), map.visible.clone(), map.valid.clone(), map.camera};
}

TEST(Epe3d, EqualsHandWorkedValues) {
  // Errors of points 0 to 3: 0.04, 0.5 (0.3, 0.4, 0), 0, 0.2 m in both frames; frame 0 does not
  // count.
  momap::MoMap result = truth();
  result.xyz.select(2, 0).select(-1, 1).add_(0.04);
  result.xyz.select(2, 1).select(-1, 0).add_(0.3);
  result.xyz.select(2, 1).select(-1, 1).add_(0.4);
  result.xyz.select(2, 3).select(-1, 2).add_(0.2);
  result.xyz[0].fill_(1e6);
  auto values = score(result, truth());
  EXPECT_NEAR(*values["epe3d"].value, (0.04 + 0.5 + 0 + 0.2) / 4, 1e-6);
  EXPECT_NEAR(*values["epe3d_moving"].value, 0.2, 1e-6);
  EXPECT_NEAR(*values["epe3d_static"].value, 0.54 / 3, 1e-6);
  EXPECT_DOUBLE_EQ(*values["apd_3cm"].value, 1.0 / 4);
  EXPECT_DOUBLE_EQ(*values["apd_5cm"].value, 2.0 / 4);
  EXPECT_DOUBLE_EQ(*values["apd_10cm"].value, 2.0 / 4);
  EXPECT_DOUBLE_EQ(*values["apd_30cm"].value, 3.0 / 4);
  EXPECT_DOUBLE_EQ(*values["coverage"].value, 1.0);
  EXPECT_EQ(values["epe3d"].unit, "m");
}

TEST(Epe3d, CountsPointsVisibleAndValidInTheReference) {
  momap::MoMap reference = truth(), result = truth();
  result.xyz.select(2, 0).add_(1.0);
  reference.valid[0][0] = false;  // point 0 does not count
  result.xyz[1][0][1].add_(1.0);
  reference.visible[1][0][1] = false;  // nor point 1 in frame 1
  EXPECT_EQ(*score(result, reference)["epe3d"].value, 0.0);
}

TEST(Epe3d, CountsAMissingPredictionAsOutsideEveryThreshold) {
  momap::MoMap result = copy(truth());
  result.valid[0][2] = false;
  result.xyz.select(2, 2).fill_(std::numeric_limits<float>::quiet_NaN());
  auto values = score(result, truth());
  EXPECT_EQ(*values["epe3d"].value, 0.0);
  EXPECT_DOUBLE_EQ(*values["apd_30cm"].value, 0.75);
  EXPECT_DOUBLE_EQ(*values["coverage"].value, 0.75);
}

TEST(Epe3d, TakesTheTruthOfAClip) {
  momap::Clip clip;
  clip.frames = at::zeros({3, 1, 4, 3}, at::kByte);
  EXPECT_THROW(score(truth(), clip), momap::DataError);
  clip.truth = {{truth(), "", {}}};
  EXPECT_EQ(*score(truth(), clip)["epe3d"].value, 0.0);
}

TEST(Epe3d, SplitsAtTheMovingThreshold) {
  auto values = score(truth(), truth(), "{moving_threshold_m: 3}");
  EXPECT_FALSE(values["epe3d_moving"].value);
  EXPECT_TRUE(values["epe3d_static"].value);
}

TEST(Epe3d, SaysWhyAValueIsUndefined) {
  momap::MoMap single = truth();
  single.xyz = single.xyz.slice(0, 0, 1);
  single.visible = single.visible.slice(0, 0, 1);
  EXPECT_EQ(score(single, single)["epe3d"].undefined_reason,
            "the motion map has no frame after frame 0");
  momap::MoMap hidden = truth();
  hidden.visible.fill_(false);
  EXPECT_FALSE(score(truth(), hidden)["apd_3cm"].value);
  hidden.valid.fill_(false);
  EXPECT_FALSE(score(truth(), hidden)["coverage"].value);
}

TEST(Epe3d, RefusesPositionsThatAreNotFiniteAndOtherSizes) {
  momap::MoMap result = truth();
  result.xyz[2][0][1][0] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(score(result, truth()), momap::DataError);
  momap::MoMap shorter = truth();
  shorter.xyz = shorter.xyz.slice(0, 0, 2);
  shorter.visible = shorter.visible.slice(0, 0, 2);
  EXPECT_THROW(score(shorter, truth()), momap::DataError);
}

}  // namespace
