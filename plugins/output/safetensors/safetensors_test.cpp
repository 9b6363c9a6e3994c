// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/data/archive.h>
#include <momap/plugin/plugin.h>
#include <plugin_fixture.h>
#include <scenes.h>

namespace {

momap::Datum round_trip(const momap::Datum& value) {
  const momap::TemporaryFolder folder;
  momap::Inputs inputs;
  inputs.add("value", {&value});
  const auto path = momap::testing::make_plugin<momap::Output>("output/safetensors")
                        ->write(inputs, folder.path() / "value.x", momap::testing::context());
  EXPECT_EQ(path.filename(), "value.x.safetensors");
  return momap::from_archive(momap::read_safetensors(path));
}

TEST(SafetensorsOutput, KeepsEveryKindOfValue) {
  const momap::Clip clip = momap::testing::moving_square();
  const auto same_clip = std::get<momap::Clip>(round_trip(clip));
  EXPECT_TRUE(at::equal(same_clip.frames, clip.frames));
  EXPECT_EQ(same_clip.caption, clip.caption);
  ASSERT_EQ(same_clip.truth.size(), 1u);

  const momap::MoMap& map = clip.truth[0].motion;
  const auto same_map = std::get<momap::MoMap>(round_trip(map));
  EXPECT_TRUE(at::equal(same_map.xyz, map.xyz));
  EXPECT_TRUE(at::equal(same_map.visible, map.visible));
  EXPECT_EQ(same_map.camera, map.camera);

  const momap::PartialClip partial{at::full({1, 2, 3, 3}, 10, at::kByte),
                                   at::ones({1, 2, 3}, at::kBool), at::ones({1, 2, 3}),
                                   at::full({1, momap::kDropReasons}, 4, at::kLong), 5};
  const auto same_partial = std::get<momap::PartialClip>(round_trip(partial));
  EXPECT_TRUE(at::equal(same_partial.dropped, partial.dropped));
  EXPECT_EQ(same_partial.fps, 5);

  const momap::Latent latent{at::ones({2, 3, 4, 5}), {"encoding/dct", 1, "none", 8, 32, 40}};
  const auto same_latent = std::get<momap::Latent>(round_trip(latent));
  EXPECT_TRUE(at::equal(same_latent.values, latent.values));
  EXPECT_EQ(same_latent.spec, latent.spec);

  const momap::Score score{{{"psnr_all", "dB", momap::Direction::higher_is_better, 31.5, ""}}};
  EXPECT_EQ(std::get<momap::Score>(round_trip(score)).values.at(0).value, 31.5);
}

}  // namespace
