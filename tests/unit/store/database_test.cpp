// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/archive.h>
#include <momap/data/datum.h>
#include <momap/data/tensor_file.h>
#include <momap/store/database.h>
#include <momap/store/merge.h>
#include <momap/store/verify.h>
#include <momap/store/writer.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <thread>

#include "scenes.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

Clip scene(int i, int64_t frames = 4) {
  Clip clip = testing::moving_square({.frames = frames,
                                      .height = 24,
                                      .width = 32,
                                      .square_speed_x = 0.01 * (i + 1),
                                      .texture_seed = static_cast<uint64_t>(i + 1)});
  clip.caption = "square " + std::to_string(i);
  clip.fps = 30000.0 / 1001;
  return clip;
}

Entry named(int i) {
  Entry entry;
  entry.id = "clip_" + std::to_string(i);
  entry.source = "scene " + std::to_string(i);
  entry.split = i % 3 == 0 ? "test" : "train";
  entry.quality = {{"valid_share", 0.25 * i}};
  return entry;
}

void fill(const fs::path& folder, int count, const StorageOptions& options = {},
          uint64_t shard_bytes = uint64_t{256} << 20) {
  DatabaseWriter writer(folder, options, shard_bytes);
  for (int i = 0; i < count; ++i) writer.append(scene(i), named(i), "made by a test");
  writer.finish();
}

void expect_same(const Clip& a, const Clip& b) {
  const TensorFile x = to_archive(a), y = to_archive(b);
  EXPECT_EQ(x.metadata, y.metadata);
  ASSERT_EQ(x.tensors.size(), y.tensors.size());
  for (const auto& [name, tensor] : x.tensors) {
    const at::Tensor& other = y.tensors.at(name);
    ASSERT_EQ(tensor.sizes(), other.sizes()) << name;
    if (tensor.numel() == 0) continue;
    EXPECT_EQ(std::memcmp(tensor.data_ptr(), other.data_ptr(), tensor.nbytes()), 0) << name;
  }
}

void flip(const fs::path& file, uint64_t offset) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(byte);
}

TEST(Database, LosslessAndRawSamplesComeBackBitForBit) {
  for (const std::string codec : {"raw", "lossless"}) {
    const TemporaryFolder folder;
    fill(folder.path() / "db", 5, {.codec = codec});
    const Database database(folder.path() / "db");
    ASSERT_EQ(database.size(), 5);
    for (const int i : {3, 0, 4}) {
      const Entry entry = database.entry(i);
      EXPECT_EQ(entry.id, named(i).id);
      expect_same(database.read(entry), scene(i));
    }
    EXPECT_TRUE(verify_database(folder.path() / "db").damage.empty());
  }
}

TEST(Database, TheCatalogueHoldsWhatIsKnownOfASample) {
  const TemporaryFolder folder;
  fill(folder.path(), 4);
  const Database database(folder.path());
  const auto entry = database.find("clip_2");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->number, 2);
  EXPECT_EQ(entry->frames, 4);
  EXPECT_EQ(entry->height, 24);
  EXPECT_EQ(entry->width, 32);
  EXPECT_EQ(entry->fps, 30000.0 / 1001);
  EXPECT_EQ(entry->caption, "square 2");
  EXPECT_EQ(entry->camera, scene(2).camera);
  EXPECT_EQ(entry->quality.at("valid_share"), 0.5);
  EXPECT_EQ(entry->source, "scene 2");
  EXPECT_EQ(entry->codec, "lossless f32");
  EXPECT_EQ(entry->rmse_bound_m, 0);
  EXPECT_EQ(database.provenance(entry->provenance), "made by a test");
  EXPECT_FALSE(database.find("clip_9"));
  EXPECT_THROW(database.entry(4), DataError);
}

TEST(Database, SplitsAreReadByPosition) {
  const TemporaryFolder folder;
  fill(folder.path(), 8);
  const Database database(folder.path());
  EXPECT_EQ(database.size("train"), 5);
  EXPECT_EQ(database.size("test"), 3);
  EXPECT_EQ(database.size("val"), 0);
  EXPECT_EQ(database.entry("test", 1).id, "clip_3");
  EXPECT_EQ(database.entry("train", 4).id, "clip_7");
  EXPECT_THROW(database.entry("test", 3), DataError);
}

TEST(Database, StatedErrorsOfLossyStorageHold) {
  for (const StorageOptions& options : {StorageOptions{.codec = "lossy", .max_rmse_m = 0.002},
                                        StorageOptions{.codec = "raw", .precision = "f16"},
                                        StorageOptions{.codec = "lossless", .precision = "f16"}}) {
    const TemporaryFolder folder;
    fill(folder.path(), 2, options);
    const Database database(folder.path());
    const Entry entry = database.entry(1);
    const Clip clip = database.read(entry);
    check(clip, "the database");
    const MoMap &map = clip.truth.at(0).motion, original = scene(1).truth.at(0).motion;
    const MapError error = map_error(map.xyz, original.xyz, original.valid);
    EXPECT_GT(error.rmse_m, 0);
    EXPECT_LE(error.rmse_m, entry.rmse_bound_m);
    EXPECT_EQ(error.max_m, entry.max_error_m);
    if (options.codec == "lossy") {
      EXPECT_EQ(entry.rmse_bound_m, 0.002);
    }
    EXPECT_EQ(std::memcmp(clip.frames.data_ptr(), scene(1).frames.data_ptr(), clip.frames.nbytes()),
              0);
  }
}

TEST(Database, ASealedShardIsASafetensorsFile) {
  const TemporaryFolder folder;
  fill(folder.path(), 3, {.codec = "raw"});
  const TensorFile shard = read_safetensors(folder.path() / "shard-00000.safetensors");
  EXPECT_EQ(shard.metadata.at("momap.kind"), "shard");
  const at::Tensor& xyz = shard.tensors.at("clip_1/truth.0.xyz");
  const at::Tensor original = scene(1).truth.at(0).motion.xyz;
  ASSERT_EQ(xyz.sizes(), original.sizes());
  EXPECT_EQ(std::memcmp(xyz.data_ptr(), original.data_ptr(), xyz.nbytes()), 0);
}

TEST(Database, SamplesGoIntoManyShards) {
  const TemporaryFolder folder;
  fill(folder.path(), 9, {.codec = "raw"}, 200'000);
  const Database database(folder.path());
  std::set<std::string> shards;
  database.for_each([&](const Entry& entry) { shards.insert(entry.shard); });
  EXPECT_GT(shards.size(), 2u);
  for (int i = 0; i < 9; ++i) expect_same(database.read(database.entry(i)), scene(i));
  for (const auto& shard : shards) {
    EXPECT_NO_THROW(read_safetensors(folder.path() / (shard + ".safetensors")));
  }
  EXPECT_TRUE(verify_database(folder.path()).damage.empty());
}

TEST(Database, AReaderSeesSamplesWhileTheWriterGoesOn) {
  const TemporaryFolder folder;
  DatabaseWriter writer(folder.path(), {.codec = "raw"}, 300'000);
  writer.append(scene(0), named(0), "");
  const Database database(folder.path());
  EXPECT_EQ(database.size(), 1);
  const Clip first = database.read(database.entry(0));
  for (int i = 1; i < 8; ++i) {
    writer.append(scene(i), named(i), "");
    ASSERT_EQ(database.size(), i + 1);
    expect_same(database.read(database.entry(i)), scene(i));
  }
  expect_same(first, scene(0));
  writer.finish();
  expect_same(database.read(database.entry(7)), scene(7));
}

TEST(DatabaseWriter, ASecondWriterIsRefused) {
  const TemporaryFolder folder;
  const DatabaseWriter writer(folder.path(), {});
  try {
    const DatabaseWriter second(folder.path(), {});
    FAIL() << "two writers on one folder";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("another process is working"), std::string::npos);
  }
}

TEST(DatabaseWriter, AnIdIsUsedOnce) {
  const TemporaryFolder folder;
  DatabaseWriter writer(folder.path(), {});
  writer.append(scene(0), named(0), "");
  EXPECT_TRUE(writer.knows("clip_0"));
  EXPECT_THROW(writer.append(scene(1), named(0), ""), ConfigError);
  writer.append(scene(1), named(1), "");
  writer.finish();
  EXPECT_TRUE(verify_database(folder.path()).damage.empty());
  EXPECT_EQ(Database(folder.path()).size(), 2);
}

TEST(DatabaseWriter, GoesOnWhereAKilledOneStoppedAndEndsWithTheSameBytes) {
  const TemporaryFolder folder;
  const fs::path straight = folder.path() / "straight", killed = folder.path() / "killed";
  fill(straight, 12, {.codec = "raw"}, 300'000);
  int rounds = 0;
  for (bool done = false; !done && rounds < 100; ++rounds) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      DatabaseWriter writer(killed, {.codec = "raw"}, 300'000);
      for (int i = 0; i < 12; ++i) {
        if (!writer.knows(named(i).id)) writer.append(scene(i), named(i), "made by a test");
      }
      writer.finish();
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + 7 * rounds));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  EXPECT_GT(rounds, 1);
  EXPECT_TRUE(verify_database(killed).damage.empty());
  for (const auto& entry : fs::directory_iterator(straight)) {
    if (entry.path().extension() != ".safetensors") continue;
    EXPECT_EQ(read_file(killed / entry.path().filename()), read_file(entry.path()));
  }
}

TEST(DatabaseWriter, APackedSampleThatIsNoneIsRefused) {
  const TemporaryFolder folder;
  DatabaseWriter writer(folder.path(), {});
  const std::vector<std::string> texts{"short", std::string(8, '\xff') + "{}",
                                       std::string("\2\0\0\0\0\0\0\0[]", 10),
                                       std::string("\7\0\0\0\0\0\0\0{\"a\":1}", 15)};
  for (const auto& text : texts) {
    EXPECT_THROW(writer.append_packed(std::as_bytes(std::span(text)), named(0), ""), ConfigError);
  }
  writer.append(scene(0), named(0), "");
  writer.finish();
  EXPECT_TRUE(verify_database(folder.path()).damage.empty());
}

TEST(DatabaseWriter, AClipThatDoesNotHoldTogetherIsRefusedAndLeavesTheDatabaseAsItWas) {
  const TemporaryFolder folder;
  DatabaseWriter writer(folder.path(), {});
  writer.append(scene(0), named(0), "");
  const auto refused = [&](const std::string& words, const std::function<void(Clip&)>& spoil) {
    Clip clip = scene(1);
    spoil(clip);
    try {
      writer.append(clip, named(1), "");
      ADD_FAILURE() << "taken; expected: " << words;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("sample 'clip_1'"), std::string::npos);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto spoil_map = [](Clip& clip, float value) {
    at::Tensor& xyz = clip.truth[0].motion.xyz;
    xyz = xyz.clone();
    clip.truth[0].motion.valid = at::ones_like(clip.truth[0].motion.valid);
    xyz.data_ptr<float>()[xyz.numel() - 5] = value;
  };
  refused("xyz is not finite at [3, 23, 30, 1]", [&](Clip& clip) { spoil_map(clip, nan); });
  refused("xyz is not finite at [3, 23, 30, 1]", [&](Clip& clip) { spoil_map(clip, infinity); });
  refused("visible is bool [3, 24, 32]", [](Clip& clip) {
    clip.truth[0].motion.visible = clip.truth[0].motion.visible.narrow(0, 0, 3);
  });
  refused("valid is bool [24, 31]", [](Clip& clip) {
    clip.truth[0].motion.valid = clip.truth[0].motion.valid.narrow(1, 0, 31);
  });
  for (const float depth : {-1.0F, infinity}) {
    refused("depth is negative or infinite at [0, 0, 7]", [depth](Clip& clip) {
      clip.depth = at::ones({clip.length(), clip.height(), clip.width()}, at::kFloat);
      clip.depth->data_ptr<float>()[7] = depth;
    });
  }
  refused("depth is f32 [3, 24, 32]", [](Clip& clip) {
    clip.depth = at::ones({clip.length() - 1, clip.height(), clip.width()}, at::kFloat);
  });
  EXPECT_FALSE(writer.knows("clip_1"));
  writer.append(scene(1), named(1), "");
  writer.finish();
  EXPECT_TRUE(verify_database(folder.path()).damage.empty());
  const Database database(folder.path());
  EXPECT_EQ(database.size(), 2);
  expect_same(database.read(database.entry(1)), scene(1));
}

TEST(DatabaseWriter, TheLogBesideTheCatalogueDoesNotGrowWithTheSamples) {
  constexpr int kAdded = 400;
  constexpr uintmax_t kMostLogBytes = 5'000'000;  // SQLite empties it at 1000 pages of 4 KiB
  const TemporaryFolder folder;
  fill(folder.path() / "one", 1, {.codec = "lossy"});
  const Database one(folder.path() / "one");
  const auto packed = one.packed(one.entry(0));
  DatabaseWriter writer(folder.path() / "many", {});
  for (int i = 0; i < kAdded; ++i) writer.append_packed(packed.bytes, named(i), "");
  EXPECT_LT(fs::file_size(folder.path() / "many/catalogue.sqlite-wal"), kMostLogBytes);
}

TEST(DatabaseWriter, AFolderThatCannotBeWrittenIsNamed) {
  EXPECT_THROW(DatabaseWriter("/proc/momap-database", {}), ConfigError);
}

TEST(Verify, FindsAFlippedByteWhereverItIs) {
  const TemporaryFolder folder;
  fill(folder.path(), 3);
  ASSERT_TRUE(verify_database(folder.path()).sealed);
  int files = 0;
  for (const std::string name : {"shard-00000.safetensors", "catalogue.sqlite", "catalogue.xxh3"}) {
    const fs::path file = folder.path() / name;
    const uint64_t size = fs::file_size(file);
    const uint64_t step = std::max<uint64_t>(1, size / 40);
    for (uint64_t offset = 0; offset < size; offset += step) {
      flip(file, offset);
      const VerifyResult result = verify_database(folder.path());
      EXPECT_FALSE(result.damage.empty()) << name << ", byte " << offset;
      flip(file, offset);
    }
    ++files;
  }
  EXPECT_EQ(files, 3);
  EXPECT_TRUE(verify_database(folder.path()).damage.empty());
}

TEST(Verify, NamesTheSampleAndItsBytes) {
  const TemporaryFolder folder;
  fill(folder.path(), 3);
  const Entry entry = Database(folder.path()).entry(1);
  flip(folder.path() / "shard-00000.safetensors", entry.offset + entry.size / 2);
  const VerifyResult result = verify_database(folder.path());
  ASSERT_EQ(result.damage.size(), 1u);
  EXPECT_NE(result.damage[0].what.find("sample 'clip_1'"), std::string::npos);
  EXPECT_NE(result.damage[0].what.find("expected " + entry.checksum), std::string::npos);
  EXPECT_THROW(Database(folder.path()).read(entry), ConfigError);
  EXPECT_NO_THROW(Database(folder.path()).read(Database(folder.path()).entry(0)));
}

TEST(Verify, FindsFilesThatAreCutOffMissingOrForeign) {
  const TemporaryFolder folder;
  fill(folder.path(), 3);
  const fs::path shard = folder.path() / "shard-00000.safetensors";
  const auto size = fs::file_size(shard);
  fs::resize_file(shard, size - 1);
  EXPECT_FALSE(verify_database(folder.path()).damage.empty());
  EXPECT_THROW(Database(folder.path()).read(Database(folder.path()).entry(2)), ConfigError);
  fs::rename(shard, folder.path() / "elsewhere.safetensors");
  EXPECT_GE(verify_database(folder.path()).damage.size(), 2u);
  EXPECT_THROW(Database(folder.path()).read(Database(folder.path()).entry(0)), ConfigError);
  EXPECT_THROW(verify_database(folder.path() / "nothing"), ConfigError);
}

TEST(Database, TheFirstReadOfASampleFindsAFlippedByte) {
  for (const std::string codec : {"raw", "lossless", "lossy"}) {
    const TemporaryFolder folder;
    fill(folder.path(), 3, {.codec = codec});
    const Entry entry = Database(folder.path()).entry(1);
    const uint64_t step = std::max<uint64_t>(1, entry.size / 40);
    for (uint64_t at = 0; at < entry.size; at += step) {
      flip(folder.path() / "shard-00000.safetensors", entry.offset + at);
      const Database database(folder.path());
      try {
        database.read(database.entry(1));
        ADD_FAILURE() << codec << ": byte " << at << " differs and is not seen";
      } catch (const ConfigError& error) {
        const std::string words = error.what();
        EXPECT_NE(words.find("sample 'clip_1'"), std::string::npos) << words;
        EXPECT_NE(words.find("expected " + entry.checksum), std::string::npos) << words;
      }
      EXPECT_NO_THROW(database.read(database.entry(2)));
      flip(folder.path() / "shard-00000.safetensors", entry.offset + at);
    }
    const Database database(folder.path());
    const Clip first = database.read(entry);
    expect_same(database.read(entry), first);
  }
}

TEST(Database, RefusesACatalogueCutOffAnywhere) {
  const TemporaryFolder folder;
  fill(folder.path(), 3);
  const fs::path file = folder.path() / "catalogue.sqlite";
  const std::string sound = read_file(file);
  for (size_t size = 0; size < sound.size(); size += std::max<size_t>(1, sound.size() / 60)) {
    write_file(file, sound.substr(0, size));
    EXPECT_FALSE(verify_database(folder.path()).damage.empty()) << size;
    try {
      const Database database(folder.path());
      for (int i = 0; i < 3; ++i) expect_same(database.read(database.entry(i)), scene(i));
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    } catch (const DataError&) {  // a cut that leaves a sound, emptier table
    }
  }
}

TEST(Database, RefusesSamplesOfAnotherFormat) {
  const TemporaryFolder folder;
  fill(folder.path() / "a", 1, {.codec = "raw"});
  const Database a(folder.path() / "a");
  const auto packed = a.packed(a.entry(0));
  std::string text(reinterpret_cast<const char*>(packed.bytes.data()), packed.bytes.size());
  const std::string key = R"("momap.format":")";
  const size_t place = text.find(key);
  ASSERT_NE(place, std::string::npos);
  text[place + key.size()] = '9';
  {
    DatabaseWriter writer(folder.path() / "b", {});
    writer.append_packed(std::as_bytes(std::span(text)), named(0), "");
    writer.finish();
  }
  const Database b(folder.path() / "b");
  try {
    b.read(b.entry(0));
    FAIL() << "a sample of format 9 was read";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("sample 'clip_0'"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("format 9; this momap reads format 2"),
              std::string::npos)
        << error.what();
  }
}

TEST(Database, RefusesCataloguesThatAreDamagedOrForeign) {
  const TemporaryFolder folder;
  fill(folder.path(), 1);
  const fs::path file = folder.path() / "catalogue.sqlite";
  const std::string sound = read_file(file);
  const auto refused = [&](const std::string& bytes, const std::string& words) {
    write_file(file, bytes);
    try {
      Database(folder.path()).entry(0);
      ADD_FAILURE() << "accepted; expected: " << words;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  refused("no database at all, only some text that is long enough", "not a database");
  std::string other = sound;
  other[68] ^= 1;  // application id
  refused(other, "not a momap catalogue");
  other = sound;
  other[63] = 9;  // user version
  refused(other, "catalogue format 9; this momap reads format 1");
  refused(sound.substr(0, 4096), "catalogue.sqlite");
  write_file(file, sound);
  EXPECT_EQ(Database(folder.path()).entry(0).id, "clip_0");
}

TEST(Database, CanBeReadWhereNothingCanBeWritten) {
  if (::geteuid() == 0) GTEST_SKIP() << "permissions do not bind root";
  const TemporaryFolder folder;
  fill(folder.path(), 2);
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(Database(folder.path()).entry(1).id, "clip_1");
  EXPECT_THROW(DatabaseWriter(folder.path(), {}), ConfigError);
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(Merge, JoinsPartsAndPassesOverWhatIsThere) {
  const TemporaryFolder folder;
  const fs::path a = folder.path() / "a", b = folder.path() / "b", all = folder.path() / "all";
  fill(a, 3);
  {
    DatabaseWriter writer(b, {.codec = "lossy"});
    for (int i = 3; i < 5; ++i) writer.append(scene(i), named(i), "made elsewhere");
    writer.add({.id = "dark",
                .source = "s",
                .reason = "min_valid_share",
                .value = 0.1,
                .threshold = 0.5,
                .text = ""});
    writer.finish();
  }
  const MergeResult result = merge_databases({a, b}, all, {}, {});
  EXPECT_EQ(result.added, 5);
  const Database database(all);
  expect_same(database.read(database.entry(2)), scene(2));
  EXPECT_EQ(database.entry(4).codec, "lossy");
  EXPECT_EQ(database.entry("train", 2).id, "clip_4");
  EXPECT_EQ(database.provenance(database.entry(4).provenance), "made elsewhere");
  EXPECT_EQ(database.drops_by_reason().at("min_valid_share"), 1);
  const VerifyResult verified = verify_database(all);
  EXPECT_TRUE(verified.damage.empty());
  EXPECT_TRUE(verified.sealed);
  EXPECT_EQ(merge_databases({b, a}, all, {}, {}).already_there, 5);
}

TEST(Merge, RefusesDifferentSamplesUnderOneId) {
  const TemporaryFolder folder;
  fill(folder.path() / "a", 2);
  fill(folder.path() / "b", 2, {.codec = "lossy"});
  EXPECT_THROW(
      merge_databases({folder.path() / "a", folder.path() / "b"}, folder.path() / "all", {}, {}),
      ConfigError);
  EXPECT_THROW(merge_databases({folder.path() / "a"}, folder.path() / "a", {}, {}), ConfigError);
}

}  // namespace
}  // namespace momap
