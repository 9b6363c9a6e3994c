// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/text.h>

namespace momap {
namespace {

TEST(NearestName, FindsASlipOfThePen) {
  const std::vector<std::string> names{"levels", "radius", "iterations"};
  EXPECT_EQ(nearest_name("level", names), "levels");
  EXPECT_EQ(nearest_name("raduis", names), "radius");  // neighbours swapped: one step
  EXPECT_EQ(nearest_name("itertions", names), "iterations");
}

TEST(NearestName, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("colour", {"levels", "radius"}), std::nullopt);
  EXPECT_EQ(nearest_name("x", {}), std::nullopt);
}

TEST(NearestName, AllowsOneSlipInAShortName) {
  EXPECT_EQ(nearest_name("fos", {"fps"}), "fps");
  EXPECT_EQ(nearest_name("abc", {"fps"}), std::nullopt);
}

TEST(Suggestion, NamesTheNearestOrAllThatIsKnown) {
  EXPECT_EQ(suggestion("level", {"levels"}), "; did you mean 'levels'?");
  EXPECT_EQ(suggestion("colour", {"levels", "radius"}), "; known: levels, radius");
  EXPECT_EQ(suggestion("colour", {}), "");
}

TEST(Split, DropsEmptyParts) {
  EXPECT_EQ(split("a::b:", ':'), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(split("", ':').empty());
  EXPECT_TRUE(split(":::", ':').empty());
  EXPECT_EQ(split("alone", ':'), std::vector<std::string>{"alone"});
}

TEST(Join, PutsTheSeparatorBetweenParts) {
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Printable, KeepsTextAndEscapesWhatIsNotText) {
  EXPECT_EQ(printable("Grüße 漢 😀"), "Grüße 漢 😀");
  EXPECT_EQ(printable("a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(printable("\xC3"), "\\xc3");                             // cut-off sequence
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf");                    // overlong '/'
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
}

TEST(HumanBytes, ChoosesTheUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(5.0 * 1024 * 1024 * 1024), "5.0 GiB");
  EXPECT_EQ(human_bytes(4096.0 * 1024 * 1024 * 1024 * 1024), "4096.0 TiB");
}

}  // namespace
}  // namespace momap
