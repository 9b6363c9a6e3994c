// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/stage/source.h>
#include <momap/store/writer.h>

#include <cstring>

#include "plugin_fixture.h"
#include "scenes.h"

namespace momap {
namespace {

using testing::make_plugin;

Clip scene(int i) {
  Clip clip = testing::moving_square(
      {.frames = 3, .height = 12, .width = 16, .texture_seed = static_cast<uint64_t>(i + 1)});
  clip.caption = "scene " + std::to_string(i);
  return clip;
}

void fill(const std::filesystem::path& folder) {
  DatabaseWriter writer(folder, {});
  for (int i = 0; i < 4; ++i) {
    Entry entry;
    entry.id = "scene/" + std::to_string(i);
    entry.split = i == 2 ? "test" : "train";
    writer.append(scene(i), entry, "");
  }
  writer.finish();
}

std::shared_ptr<Source> source(const std::filesystem::path& folder, const std::string& more = "") {
  return make_plugin<Source>("source/database", "{path: " + folder.string() + more + "}");
}

TEST(DatabaseSource, GivesTheStoredClipsWithTheirMotionAsTruth) {
  const TemporaryFolder folder;
  fill(folder.path());
  const auto clips = source(folder.path());
  ASSERT_EQ(clips->size(), 4);
  EXPECT_EQ(clips->name(3), "scene_3");
  const Clip clip = clips->sample(3, {});
  EXPECT_EQ(clip.caption, "scene 3");
  EXPECT_EQ(clip.camera, scene(3).camera);
  ASSERT_EQ(clip.truth.size(), 1u);
  const at::Tensor xyz = clip.truth[0].motion.xyz, original = scene(3).truth[0].motion.xyz;
  ASSERT_EQ(xyz.sizes(), original.sizes());
  EXPECT_EQ(std::memcmp(xyz.data_ptr(), original.data_ptr(), xyz.nbytes()), 0);
}

TEST(DatabaseSource, ReadsOneSplit) {
  const TemporaryFolder folder;
  fill(folder.path());
  const auto test = source(folder.path(), ", split: test");
  ASSERT_EQ(test->size(), 1);
  EXPECT_EQ(test->name(0), "scene_2");
  EXPECT_EQ(source(folder.path(), ", split: train, clips: 2")->size(), 2);
  EXPECT_THROW(test->sample(1, {}), DataError);
}

TEST(DatabaseSource, FingerprintsTellContentsApart) {
  const TemporaryFolder folder;
  fill(folder.path());
  const auto clips = source(folder.path());
  EXPECT_NE(clips->fingerprint(0), clips->fingerprint(1));
  EXPECT_EQ(clips->fingerprint(2), source(folder.path(), ", split: test")->fingerprint(0));
}

TEST(DatabaseSource, AFolderWithoutADatabaseIsNamed) {
  const TemporaryFolder folder;
  EXPECT_THROW(source(folder.path())->size(), ConfigError);
}

}  // namespace
}  // namespace momap
