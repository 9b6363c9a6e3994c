// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/random.h>

#include <cmath>
#include <set>
#include <vector>

namespace momap {
namespace {

// Known answers of the Random123 library (kat_vectors, philox4x32 10).
TEST(Random, PhiloxGivesThePublishedWords) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, AStreamStartsWithTheWordsOfItsSeed) {
  Random random(0);
  EXPECT_EQ(random.word(), 0x6627e8d5u);
  EXPECT_EQ(random.word(), 0xe169c58du);
  EXPECT_NE(Random(1).word(), Random(0).word());
  EXPECT_NE(Random(0, 1).word(), Random(0).word());
}

TEST(Random, NormalValuesHaveTheMomentsOfTheNormalDistribution) {
  std::vector<float> values(200'000);
  Random(11).fill_normal(values);
  double moment[5] = {};
  int64_t beyond_two = 0;
  for (const float v : values) {
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(static_cast<double>(v), k) / 200'000;
    beyond_two += std::abs(v) > 2;
  }
  EXPECT_NEAR(moment[1], 0, 0.01);
  EXPECT_NEAR(moment[2], 1, 0.015);
  EXPECT_NEAR(moment[3], 0, 0.03);
  EXPECT_NEAR(moment[4], 3, 0.08);
  EXPECT_NEAR(static_cast<double>(beyond_two) / 200'000, 0.0455, 0.002);
}

TEST(Random, NormalIsBoxMullerOfTheUniforms) {
  Random uniform(5);
  Random normal(5);
  for (int i = 0; i < 1000; ++i) {
    const double radius = std::sqrt(-2 * std::log1p(-uniform.uniform()));
    const double angle = 2 * std::acos(-1.0) * uniform.uniform();
    EXPECT_NEAR(normal.normal(), radius * std::cos(angle), 1e-13);
    EXPECT_NEAR(normal.normal(), radius * std::sin(angle), 1e-13);
  }
}

TEST(Random, UniformFillsTheUnitInterval) {
  Random random(2);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.004);
}

TEST(Random, BelowGivesEveryValueAlikeAndNoOther) {
  Random random(3);
  std::vector<int> count(7);
  for (int i = 0; i < 70'000; ++i) ++count.at(static_cast<size_t>(random.below(7)));
  for (const int n : count) EXPECT_NEAR(n, 10'000, 400);
  EXPECT_EQ(random.below(1), 0);
}

}  // namespace
}  // namespace momap
