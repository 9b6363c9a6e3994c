// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/random.h>
#include <momap/experiment/statistics.h>
#include <momap/experiment/table.h>

#include <string>

namespace momap {
namespace {

// Samples that differ much from each other and little between entries.
SampleValues entry(double offset, double noise, uint64_t seed, int count = 40) {
  Random shared(1), own(seed);
  SampleValues out;
  for (int i = 0; i < count; ++i) {
    out[std::to_string(i)] = 10 * shared.normal() + offset + noise * own.normal();
  }
  return out;
}

TEST(Statistics, PairingSeesDifferencesThatTheSamplesSpreadHides) {
  const SampleValues a = entry(0.5, 0.2, 2), b = entry(0, 0.2, 3);
  const Interval mean_a = mean_of(a), mean_b = mean_of(b);
  EXPECT_LT(mean_a.low, mean_b.high);  // alone they overlap
  const auto gap = paired_difference(a, b);
  ASSERT_TRUE(gap);
  EXPECT_GT(gap->low, 0.3);
  EXPECT_LT(gap->high, 0.7);
}

TEST(Statistics, OnlySamplesThatBothHaveArePaired) {
  const auto gap =
      paired_difference({{"a", 1}, {"b", 2}, {"c", 3}}, {{"b", 1}, {"c", 2}, {"d", 9}});
  ASSERT_TRUE(gap);
  EXPECT_DOUBLE_EQ(gap->value, 1);
  EXPECT_FALSE(paired_difference({{"a", 1}}, {{"b", 1}}));
}

TEST(Statistics, EntriesThatCannotBeToldApartShareARank) {
  const std::vector<SampleValues> entries{
      entry(0, 0.3, 2), entry(1, 0.3, 3), entry(1.02, 0.3, 4), {}, entry(-1, 0.3, 5)};
  EXPECT_EQ(tied_ranks(entries, true), (std::vector<int>{3, 1, 1, 0, 4}));
  EXPECT_EQ(tied_ranks(entries, false), (std::vector<int>{2, 3, 3, 0, 1}));
}

TEST(Statistics, OneSampleTellsNobodyApart) {
  EXPECT_EQ(tied_ranks({{{"a", 1}}, {{"a", 2}}}, true), (std::vector<int>{1, 1}));
}

TEST(Statistics, TheFrontHoldsWhatNothingElseBeats) {
  //                                    good dear  fair cheap  worse and dearer  equal to the second
  const std::vector<double> score{9, 5, 4, 5}, cost{10, 1, 2, 1};
  EXPECT_EQ(pareto_front(score, true, cost), (std::vector<size_t>{0, 1, 3}));
  EXPECT_EQ(pareto_front(score, false, cost), (std::vector<size_t>{1, 2, 3}));
}

TEST(Table, IsWrittenForPeopleAndForPrograms) {
  const Table table{{"key", "psnr [dB]"},
                    {{{"a, \"b\"", std::nullopt}, {"21.3 ±0.4", 21.312}},
                     {{"c_d|e", std::nullopt}, {"-", std::nullopt}}}};
  EXPECT_EQ(table_text(table, "text"),
            "key     psnr [dB]\n"
            "a, \"b\"  21.3 ±0.4\n"
            "c_d|e           -\n");
  EXPECT_EQ(table_text(table, "markdown"),
            "| key | psnr [dB] |\n|---|---:|\n| a, \"b\" | 21.3 ±0.4 |\n| c_d\\|e | - |\n");
  EXPECT_EQ(table_text(table, "csv"), "key,psnr [dB]\n\"a, \"\"b\"\"\",21.312\nc_d|e,-\n");
  EXPECT_EQ(
      table_text(table, "jsonl"),
      "{\"key\":\"a, \\\"b\\\"\",\"psnr [dB]\":21.312}\n{\"key\":\"c_d|e\",\"psnr [dB]\":\"-\"}\n");
  const std::string latex = table_text(table, "latex");
  EXPECT_NE(latex.find("21.3 $\\pm$0.4"), std::string::npos) << latex;
  EXPECT_NE(latex.find("c\\_d|e"), std::string::npos) << latex;
  EXPECT_THROW(table_text(table, "xlsx"), ConfigError);
}

}  // namespace
}  // namespace momap
