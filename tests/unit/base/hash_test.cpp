// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>

#include <set>

namespace momap {
namespace {

TEST(ContentHash, IsThePublishedXxh3) {
  // Test value of the xxHash specification: XXH3-128 of nothing, seed 0.
  EXPECT_EQ(content_hash(""), "99aa06d3014798d86001c324468d497f");
}

TEST(ContentHash, TellsOneChangedBitApart) {
  EXPECT_NE(content_hash("motion map"), content_hash("motion maq"));
  EXPECT_NE(content_hash(std::string(3, '\0')), content_hash(std::string(4, '\0')));
}

TEST(FileHash, IsTheHashOfTheContentAcrossBlocks) {
  const TemporaryFolder folder;
  // Longer than the block in which files are read, and not a multiple of it.
  std::string text((1 << 20) * 2 + 12345, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761u >> 24);
  write_file(folder.path() / "big", text);
  EXPECT_EQ(file_hash(folder.path() / "big"), content_hash(text));
  write_file(folder.path() / "empty", "");
  EXPECT_EQ(file_hash(folder.path() / "empty"), content_hash(""));
}

TEST(FileHash, RefusesWhatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_THROW(file_hash(folder.path() / "missing"), ConfigError);
  EXPECT_THROW(file_hash(folder.path()), ConfigError);
}

TEST(DerivedSeed, DiffersByNameAndSeedAndIsTheSameEverywhere) {
  std::set<uint64_t> seeds;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (const char* name : {"", "a", "b", "ab", "ba"}) seeds.insert(derived_seed(seed, name));
  }
  EXPECT_EQ(seeds.size(), 250u);
  // XXH3-64 of nothing with seed 0, as the specification's test values give it.
  EXPECT_EQ(derived_seed(0, ""), 0x2D06800538D394C2ull);
}

}  // namespace
}  // namespace momap
