// SPDX-License-Identifier: Apache-2.0
#include "tokenizer.h"

#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "config.h"
#include "shared_data.h"
#include "small_model.h"

namespace {

using diffusers::Tokenizer;
using nlohmann::json;

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class SmallTokenizer : public ::testing::Test {
 protected:
  void SetUp() override {
    words = diffusers::testing::small_vocabulary({"ab", "ab</w>", "aba", "bb</w>"});
    write(folder.path() / "merges.txt", "#version: 0.2\na b\na b</w>\nab a\nb b</w>\n");
    save();
  }
  void save() { write(folder.path() / "vocab.json", words.dump()); }
  std::vector<std::string> pieces(const std::string& text) {
    return Tokenizer(folder.path()).pieces(text);
  }

  momap::TemporaryFolder folder;
  json words;
};
using Pieces = std::vector<std::string>;

TEST_F(SmallTokenizer, JoinsWhatWasLearnedFirst) {
  EXPECT_EQ(pieces("ab"), (Pieces{"ab</w>"}));
  EXPECT_EQ(pieces("abab"), (Pieces{"ab", "ab</w>"}));  // "a b" before "ab a"
  EXPECT_EQ(pieces("abac"), (Pieces{"aba", "c</w>"}));
  EXPECT_EQ(pieces("abb"), (Pieces{"ab", "b</w>"}));
  EXPECT_EQ(pieces("cbb"), (Pieces{"c", "bb</w>"}));
}

TEST_F(SmallTokenizer, WordsAreLettersDigitsOrSigns) {
  EXPECT_EQ(pieces("AB 12 ab!?"), (Pieces{"ab</w>", "1</w>", "2</w>", "ab</w>", "!", "?</w>"}));
  EXPECT_EQ(pieces("c's c'x"), (Pieces{"c</w>", "'", "s</w>", "c</w>", "'</w>", "x</w>"}));
  EXPECT_EQ(pieces(" \t\n ab\u00a0\u3000c "), (Pieces{"ab</w>", "c</w>"}));
  EXPECT_TRUE(pieces("").empty());
}

TEST_F(SmallTokenizer, OtherScriptsAreBytes) {
  // U+00C9 becomes U+00E9 = C3 A9, composed or not; its bytes' letters are U+00C3 and U+00A9.
  EXPECT_EQ(pieces("\u00c9"), (Pieces{"\u00c3", "\u00a9</w>"}));
  EXPECT_EQ(pieces("E\u0301"), (Pieces{"\u00c3", "\u00a9</w>"}));
  EXPECT_EQ(pieces("\u4e2d").size(), 3u);
  EXPECT_EQ(pieces("\u4e2d\u6587").size(), 6u);  // letters: one word
  EXPECT_EQ(pieces("\xff").size(), 3u);          // not UTF-8: U+FFFD
  EXPECT_EQ(pieces(std::string("a\0b", 3)).size(), 5u);
}

TEST_F(SmallTokenizer, GivesAlwaysSeventySevenIds) {
  const Tokenizer tokenizer(folder.path());
  const int64_t start = words["<|startoftext|>"];
  const int64_t end = words["<|endoftext|>"];
  const auto few = tokenizer.encode("ab c");
  ASSERT_EQ(few.size(), 77u);
  EXPECT_EQ(few[0], start);
  EXPECT_EQ(few[1], words["ab</w>"].get<int64_t>());
  EXPECT_EQ(few[2], words["c</w>"].get<int64_t>());
  for (size_t i = 3; i < 77; ++i) EXPECT_EQ(few[i], end);

  std::string many;
  for (int i = 0; i < 5000; ++i) many += "c ";
  for (const std::string& text : {many, std::string(10000, 'c'), std::string(10000, 'a') + "b"}) {
    const auto ids = tokenizer.encode(text);
    ASSERT_EQ(ids.size(), 77u);
    EXPECT_EQ(ids.front(), start);
    EXPECT_EQ(ids.back(), end);
    EXPECT_NE(ids[75], end);
  }
}

TEST_F(SmallTokenizer, SpecialTokensStandForThemselves) {
  write(folder.path() / "special_tokens_map.json",
        R"({"pad_token": "!", "bos_token": {"content": "<|startoftext|>"}})");
  const Tokenizer tokenizer(folder.path());
  EXPECT_EQ(tokenizer.pieces("ab<|endoftext|>c"), (Pieces{"ab</w>", "<|endoftext|>", "c</w>"}));
  EXPECT_EQ(tokenizer.pieces("c!!"), (Pieces{"c</w>", "!", "!"}));
  EXPECT_EQ(tokenizer.encode("").back(), words["!"].get<int64_t>());
}

TEST_F(SmallTokenizer, EverythingWrongIsSaidAtOnce) {
  words["ab"] = 1;  // of '"' already
  words.erase("x</w>");
  words["bb</w>"] = "seven";
  save();
  write(folder.path() / "merges.txt", "a b\nq\nc d\n");
  write(folder.path() / "special_tokens_map.json", R"({"pad_token": "<pad>"})");
  try {
    Tokenizer{folder.path()};
    FAIL() << "was read";
  } catch (const momap::ConfigError& error) {
    const std::string text = error.what();
    for (const char* part : {"id 1 is used twice", "'x</w>' is missing", "\"seven\"",
                             "merges.txt:2: 'q'", "merges.txt:3: 'cd'", "'<pad>'"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
  }
  write(folder.path() / "vocab.json", "{");
  EXPECT_THROW(Tokenizer{folder.path()}, momap::ConfigError);
  EXPECT_THROW(Tokenizer{folder.path() / "absent"}, momap::ConfigError);
}

class TokenizerGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(TokenizerGolden, PiecesAndIdsEqualTheReference) {
  const auto folder = momap::testing::shared_folder() / "goldens" / GetParam();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const Tokenizer tokenizer(folder);
  for (const json& item : diffusers::read_json(folder / "cases.json")) {
    const std::string text = item.at("text");
    EXPECT_EQ(tokenizer.pieces(text), item.at("tokens").get<Pieces>()) << text;
    EXPECT_EQ(tokenizer.encode(text), item.at("input_ids").get<std::vector<int64_t>>()) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerGolden, ::testing::Values("tokenizer_sd1", "tokenizer_sd2"),
                         [](const auto& test) { return test.param; });

}  // namespace
