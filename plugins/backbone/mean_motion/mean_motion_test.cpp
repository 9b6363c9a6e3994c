// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/stage/backbone.h>

#include "example_scenes.h"
#include "plugin_fixture.h"

namespace {

using momap::testing::write_scene;

std::shared_ptr<momap::Backbone> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Backbone>("backbone/mean_motion", yaml);
}

TEST(MeanMotion, IsTheMeanOfAllFuturesWhateverIsAsked) {
  const momap::TemporaryFolder folder;
  write_scene(folder.path() / "a.safetensors", 40, {1, 3}, {"", ""});
  write_scene(folder.path() / "b.safetensors", 90, {8}, {""});
  const auto backbone = make("{examples: " + folder.path().string() + "}");
  EXPECT_EQ(backbone->spec().prediction, momap::Prediction::x0);
  EXPECT_EQ(backbone->spec().stride, 4);
  const auto given = backbone->prepare(momap::testing::scene_condition(200, "words", 16, 24));
  const at::Tensor out = backbone->predict(at::randn({1, 2, 4, 6}), at::full({1}, 0.3f), given);
  EXPECT_TRUE(at::allclose(out, at::full({1, 2, 4, 6}, 4.f)));
}

TEST(MeanMotion, FoldersThatCannotBeUsedAreConfigErrors) {
  const momap::TemporaryFolder folder;
  EXPECT_THROW(make("{}"), momap::ConfigError);
  EXPECT_THROW(make("{examples: " + folder.path().string() + "}"), momap::ConfigError);
  EXPECT_THROW(make("{examples: /does/not/exist}"), momap::ConfigError);
  momap::write_file(folder.path() / "x.safetensors", "nothing");
  EXPECT_THROW(make("{examples: " + folder.path().string() + "}"), momap::ConfigError);
  write_scene(folder.path() / "x.safetensors", 40, {1}, {""});
  write_scene(folder.path() / "y.safetensors", 40, {1}, {""}, 3);  // another number of channels
  EXPECT_THROW(make("{examples: " + folder.path().string() + "}"), momap::ConfigError);
}

}  // namespace
