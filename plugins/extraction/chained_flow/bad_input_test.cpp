// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>
#include <momap/stage/extractor.h>

#include <limits>
#include <string>

#include "plugin_fixture.h"
#include "scenes.h"

// Clips that break what extraction assumes: finite everywhere, and little claimed to be seen.

namespace {

using momap::Clip;
using momap::MoMap;
using momap::testing::SceneOptions;

MoMap extract(const Clip& clip, const std::string& yaml = "{}") {
  const auto plugin =
      momap::testing::make_plugin<momap::Extractor>("extraction/chained_flow", yaml);
  MoMap map = plugin->extract(clip, momap::testing::context());
  momap::check(map, "extraction/chained_flow");
  EXPECT_TRUE(map.xyz.isfinite().all().item<bool>());
  return map;
}

double share(const at::Tensor& mask) { return mask.to(at::kDouble).mean().item<double>(); }

TEST(ChainedFlowOnBadInput, NothingIsSeenAfterACut) {
  SceneOptions other;
  other.texture_seed = 99;
  Clip clip = momap::testing::moving_square();
  const Clip next = momap::testing::moving_square(other);
  clip.frames = at::cat({clip.frames.narrow(0, 0, 4), next.frames.narrow(0, 4, 4)});
  clip.depth = at::cat({clip.depth->narrow(0, 0, 4), next.depth->narrow(0, 4, 4) * 2});
  const MoMap map = extract(clip);
  EXPECT_GT(share(map.visible.narrow(0, 0, 4)), 0.9);
  EXPECT_LT(share(map.visible.narrow(0, 4, 4)), 0.05);
}

TEST(ChainedFlowOnBadInput, WithoutAnyDepthNothingIsValid) {
  Clip clip = momap::testing::moving_square();
  for (const float value : {0.F, std::numeric_limits<float>::quiet_NaN()}) {
    clip.depth = at::full_like(*clip.depth, value);
    const MoMap map = extract(clip);
    EXPECT_FALSE(map.valid.any().item<bool>()) << value;
    EXPECT_FALSE(map.visible.any().item<bool>()) << value;
  }
}

TEST(ChainedFlowOnBadInput, DepthThatIsKnownInFrameZeroOnlyGivesNoMotion) {
  Clip clip = momap::testing::moving_square({.square_speed_x = 0});
  clip.depth = clip.depth->clone();
  clip.depth->narrow(0, 1, clip.length() - 1).fill_(std::numeric_limits<float>::quiet_NaN());
  const MoMap map = extract(clip);
  EXPECT_TRUE(map.xyz[7].equal(map.xyz[0]));
}

TEST(ChainedFlowOnBadInput, ExposureThatDriftsIsNoMotion) {
  Clip clip = momap::testing::moving_square({.square_speed_x = 0});
  clip.frames = clip.frames.clone();
  for (int64_t t = 0; t < clip.length(); ++t) {
    const double gain = 1 - 0.05 * static_cast<double>(t);
    clip.frames[t].copy_((clip.frames[t].to(at::kDouble) * gain).to(at::kByte));
  }
  const MoMap map = extract(clip);
  EXPECT_LT(share((map.xyz - map.xyz[0]).norm(2, 3).gt(0.02)), 0.02);
}

TEST(ChainedFlowOnBadInput, PosesOfAnotherClipDoNotMoveTheWorld) {
  Clip clip = momap::testing::moving_square({.square_speed_x = 0});
  at::Tensor poses = clip.cam_from_world->clone();
  for (int64_t t = 0; t < clip.length(); ++t) poses[t][0][3] = 0.01 * static_cast<double>(t);
  clip.cam_from_world = poses;  // says that the camera moves, and it does not
  const MoMap map = extract(clip);
  EXPECT_LT(share((map.xyz - map.xyz[0]).norm(2, 3).gt(0.1)), 0.1);
}

TEST(ChainedFlowOnBadInput, RaftWithoutWeightsIsRefusedByName) {
  try {
    extract(momap::testing::moving_square(), "{flow: raft_small}");
    FAIL() << "accepted";
  } catch (const momap::ConfigError& e) {
    EXPECT_NE(std::string(e.what()).find("weights"), std::string::npos) << e.what();
  }
}

}  // namespace
