// SPDX-License-Identifier: Apache-2.0
#include "data_card.h"

#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <algorithm>
#include <array>

namespace momap {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCard = R"(name: toy
title: A toy
homepage: nowhere
licence: free
citation: none
obtain: make it
checksums: none
truth: [flow]
splits: [all]
conventions: {depth: none, camera: none, units: pixels, frames: from 0}
layout:
  - {path: "a/*.png", holds: frames, count: 3}
  - {path: "b.txt", holds: words, optional: true}
reader: {use: source/toy, with: {frames: 2}}
)";

class DataCardTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& text) const {
    fs::create_directories(folder_.path() / "toy");
    write_file(folder_.path() / "toy/card.yaml", text);
    return folder_.path() / "toy/card.yaml";
  }
  // What is said of the card with `from` replaced by `to`.
  std::string says(const std::string& from, const std::string& to) const {
    std::string text = kCard;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    try {
      read_data_card(write(text));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  TemporaryFolder folder_;
};

TEST_F(DataCardTest, ReadsEverySection) {
  const DataCard card = read_data_card(write(kCard));
  EXPECT_EQ(card.name, "toy");
  EXPECT_EQ(card.units, "pixels");
  ASSERT_EQ(card.layout.size(), 2u);
  EXPECT_EQ(card.layout[0].path, "a/*.png");
  EXPECT_EQ(card.layout[0].count, 3);
  EXPECT_TRUE(card.layout[1].optional);
  EXPECT_EQ(card.reader, "source/toy");
  EXPECT_EQ(card.with.find("frames")->text(), "2");
}

TEST_F(DataCardTest, SaysWhatIsMissingUnknownOrOutside) {
  const std::vector<std::array<std::string, 3>> cases{
      {"licence: free\n", "", "'licence'"},
      {"licence: free", "license: free", "did you mean 'licence'"},
      {"depth: none, ", "", "'depth'"},
      {"count: 3", "count: -3", "'count'"},
      {"a/*.png", "../*.png", "outside of the data set's folder"},
      {"a/*.png", "/etc/*", "outside of the data set's folder"},
      {"use: source/toy, ", "", "does not name a plugin"},
      {"name: toy", "name: boy", "differs from the card's folder"},
      {"layout:", "lay_out:", "'layout' is missing"}};
  for (const auto& [from, to, message] : cases) {
    EXPECT_NE(says(from, to).find(message), std::string::npos) << from << ": " << says(from, to);
    EXPECT_NE(says(from, to).find("card.yaml:"), std::string::npos) << "names the place";
  }
}

TEST(DataCards, OfThisProjectAreSound) {
  int cards = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(MOMAP_SOURCE_DIR) / "datasets")) {
    if (!entry.is_directory()) continue;
    const DataCard card = read_data_card(entry.path() / "card.yaml");
    EXPECT_TRUE(card.reader.starts_with("source/")) << card.name;
    EXPECT_FALSE(card.layout.empty()) << card.name;
    EXPECT_FALSE(card.truth.empty()) << card.name;
    EXPECT_TRUE(std::ranges::any_of(card.layout, [](const auto& f) { return !f.optional; }))
        << card.name << " would pass for an empty folder";
    ++cards;
  }
  EXPECT_GE(cards, 11);
}

}  // namespace
}  // namespace momap
