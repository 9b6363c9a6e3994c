// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/data/datum.h>
#include <momap/data/geometry.h>
#include <momap/stage/extractor.h>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::testing::context;

std::shared_ptr<momap::Extractor> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Extractor>("extraction/static", yaml);
}

TEST(Static, EveryFrameIsTheUnprojectedDepthOfTheFirst) {
  momap::Clip clip = momap::testing::moving_square();
  (*clip.depth)[0][3][5] = 0;  // unknown
  const momap::MoMap map = make("{frames: 3}")->extract(clip, context());
  momap::check(map, "extraction/static");
  const at::Tensor points = momap::unproject((*clip.depth)[0], *clip.camera);
  ASSERT_EQ(map.frames(), 3);
  for (int64_t t = 0; t < 3; ++t) EXPECT_TRUE(at::equal(map.xyz[t], points));
  EXPECT_FALSE(map.valid[3][5].item<bool>());
  EXPECT_EQ(map.valid.logical_not().sum().item<int64_t>(), 1);
  EXPECT_TRUE(at::equal(map.visible[2], map.valid));
  EXPECT_EQ(make("{}")->extract(clip, context()).frames(), clip.length());
}

TEST(Static, NeedsDepth) {
  momap::Clip clip = momap::testing::moving_square();
  clip.depth.reset();
  EXPECT_THROW(make("{}")->extract(clip, context()), momap::DataError);
}

}  // namespace
