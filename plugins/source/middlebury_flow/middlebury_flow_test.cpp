// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <cmath>

#include "formats/fixtures.h"
#include "shared_data.h"

namespace {

namespace fs = std::filesystem;
using momap::testing::refusal;
using momap::testing::sample;

std::shared_ptr<momap::Source> source(const fs::path& path, const std::string& more = "") {
  return momap::testing::make_plugin<momap::Source>(
      "source/middlebury_flow", "{path: \"" + path.string() + "\"" + more + "}");
}

class MiddleburyTest : public ::testing::Test {
 protected:
  MiddleburyTest() {
    for (int t = 8; t <= 12; ++t) {
      const auto name = t < 10 ? "frame0" + std::to_string(t) : "frame" + std::to_string(t);
      momap::testing::write_image(images() / (name + ".png"),
                                  momap::testing::numbered_frame(5, 4, t));
    }
    momap::testing::write_image(images() / "frame10i11.png",
                                momap::testing::numbered_frame(5, 4, 105));
    std::vector<float> flow(5 * 4 * 2, 0.25f);
    flow[6] = 1.7e9f;
    momap::testing::write(truth(), momap::testing::flo_file(5, 4, flow));
  }
  fs::path images() const { return folder_.path() / "other-data/Dog"; }
  fs::path truth() const { return folder_.path() / "other-gt-flow/Dog/flow10.flo"; }
  momap::TemporaryFolder folder_;
};

TEST_F(MiddleburyTest, GivesThePairWithItsFlow) {
  const auto plugin = source(folder_.path());
  ASSERT_EQ(plugin->size(), 1);
  const momap::Clip clip = sample(*plugin);
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{10, 11}));
  EXPECT_EQ(clip.flow->data_ptr<float>()[0], 0.25f);
  EXPECT_TRUE(std::isnan(clip.flow->data_ptr<float>()[6]));
}

TEST_F(MiddleburyTest, GivesTheTrueImageInBetween) {
  const momap::Clip clip = sample(*source(folder_.path(), ", content: between"));
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{10, 105, 11}));
  EXPECT_FALSE(clip.flow);
}

TEST_F(MiddleburyTest, GivesAllFramesWithFlowWhereItIsKnown) {
  const momap::Clip clip = sample(*source(folder_.path(), ", content: all"));
  EXPECT_EQ(momap::testing::numbers_of(clip), (std::vector<int>{8, 9, 10, 11, 12}));
  ASSERT_EQ(clip.flow->size(0), 4);
  for (int64_t t = 0; t < 4; ++t) {
    const float u = (*clip.flow)[t].data_ptr<float>()[0];
    if (t == 2) {
      EXPECT_EQ(u, 0.25f);
    } else {
      EXPECT_TRUE(std::isnan(u)) << t;
    }
  }
}

TEST_F(MiddleburyTest, FlowIsAbsentForScenesWithoutTruthAndMissedForOthers) {
  fs::remove(truth());
  EXPECT_NE(refusal<momap::DataError>([&] {
              sample(*source(folder_.path()));
            }).find("flow10.flo: the file is missing"),
            std::string::npos);
  fs::remove_all(folder_.path() / "other-gt-flow");
  EXPECT_FALSE(sample(*source(folder_.path())).flow);
  fs::remove(images() / "frame11.png");
  EXPECT_NE(refusal<momap::DataError>([&] { sample(*source(folder_.path())); }).find("frame11.png"),
            std::string::npos);
}

// Beside the sample: mean difference 5.71 without and 1.38 with flow.
TEST(MiddleburyFlow, FlowExplainsRubberWhale) {
  const fs::path folder = momap::testing::shared_folder() / "data/flow_middlebury";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const momap::Clip clip = sample(*source(folder));
  const auto explained = momap::testing::photometric(clip, 0);
  EXPECT_LT(explained.with_flow, 1.6);
  EXPECT_GT(explained.without_flow, 5);
  int64_t unknown = 0;
  for (int64_t i = 0; i < clip.flow->numel(); i += 2) {
    unknown += std::isnan(clip.flow->data_ptr<float>()[i]) ? 1 : 0;
  }
  EXPECT_EQ(unknown, 3622);
  const auto between = source(folder, ", images: interp, content: between");
  EXPECT_EQ(between->size(), 2);
  EXPECT_EQ(sample(*between, 1).length(), 3);
}

}  // namespace
