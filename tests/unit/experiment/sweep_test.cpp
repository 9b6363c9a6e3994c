// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/experiment/sweep.h>

#include <set>
#include <string>

namespace momap {
namespace {

class SweepFile : public ::testing::Test {
 protected:
  Sweep read(const std::string& section, const std::vector<std::string>& overrides = {}) {
    const auto path = folder_.path() / "s.yaml";
    write_file(path, "base: graphs/g.yaml\nsweep:\n" + section);
    return read_sweep(path, overrides);
  }

  std::string refusal(const std::string& section) {
    try {
      read(section);
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "nothing";
  }

  TemporaryFolder folder_;
};

std::vector<std::string> texts(const Sweep& sweep) {
  std::vector<std::string> out;
  for (const auto& point : sweep.points) out.push_back(text_of(point));
  return out;
}

TEST_F(SweepFile, GridsMultiplyWithTheLastKeyFastest) {
  const Sweep sweep = read("  grid: {a.with.x: [1, 2], b.use: [p/q, r/s]}\n");
  EXPECT_EQ(texts(sweep),
            (std::vector<std::string>{"a.with.x=1 b.use=p/q", "a.with.x=1 b.use=r/s",
                                      "a.with.x=2 b.use=p/q", "a.with.x=2 b.use=r/s"}));
  EXPECT_EQ(sweep.base, folder_.path() / "graphs/g.yaml");
}

TEST_F(SweepFile, ListsAreWalkedTogetherByZip) {
  EXPECT_EQ(texts(read("  zip: {x: [1, 2], y: [[3, 4], 'five']}\n")),
            (std::vector<std::string>{"x=1 y=[3, 4]", "x=2 y='five'"}));
  EXPECT_NE(refusal("  zip: {x: [1, 2], y: [3]}\n").find("s.yaml:3:23: error: zip: 'y' has 1"),
            std::string::npos)
      << refusal("  zip: {x: [1, 2], y: [3]}\n");
}

TEST_F(SweepFile, SectionsMultiplyAndSetHoldsForAll) {
  EXPECT_EQ(texts(read("  set: {n: 5}\n  grid: {x: [1, 2]}\n  list: [{y: 3}, {z: 4}]\n")),
            (std::vector<std::string>{"n=5 x=1 y=3", "n=5 x=1 z=4", "n=5 x=2 y=3", "n=5 x=2 z=4"}));
}

TEST_F(SweepFile, ConditionsExpandOnlyThePointsTheyFit) {
  const Sweep sweep = read(
      "  grid: {warp.use: [w/a, w/b]}\n"
      "  when:\n    - {if: {warp.use: w/b}, grid: {warp.with.edge: [1, 2]}}\n");
  EXPECT_EQ(texts(sweep), (std::vector<std::string>{"warp.use=w/a", "warp.use=w/b warp.with.edge=1",
                                                    "warp.use=w/b warp.with.edge=2"}));
}

TEST_F(SweepFile, RandomPointsAreTheSameForTheSameSeedAndInRange) {
  const std::string section =
      "  random: {points: 40, seed: 3, axes: {a: {uniform: [2, 3]}, b: {log_uniform: [0.01, 100]},"
      " c: {integer: [1, 3]}, d: {choice: [x, y]}}}\n";
  const Sweep sweep = read(section);
  EXPECT_EQ(texts(sweep), texts(read(section)));
  ASSERT_EQ(sweep.points.size(), 40u);
  std::set<std::string> integers, choices;
  int below_one = 0;
  for (const auto& point : sweep.points) {
    const double a = std::stod(point[0].second), b = std::stod(point[1].second);
    EXPECT_TRUE(a >= 2 && a <= 3) << a;
    EXPECT_TRUE(b >= 0.01 && b <= 100) << b;
    below_one += b < 1;
    integers.insert(point[2].second);
    choices.insert(point[3].second);
  }
  EXPECT_TRUE(below_one > 8 && below_one < 32) << below_one;  // log-uniform: a half
  EXPECT_EQ(integers, (std::set<std::string>{"1", "2", "3"}));
  EXPECT_EQ(choices, (std::set<std::string>{"x", "y"}));
}

TEST_F(SweepFile, OverridesOfTheCommandLineWinAndRepeatsAreDropped) {
  EXPECT_EQ(texts(read("  grid: {x: [1, 2], y: [1, 2]}\n", {"x=7"})),
            (std::vector<std::string>{"x=7 y=1", "x=7 y=2"}));
}

TEST_F(SweepFile, TooManyPointsAreCountedAndNotMade) {
  std::string grid = "  grid:\n";
  for (int i = 0; i < 1000; ++i) grid += "    k" + std::to_string(i) + ": [1, 2]\n";
  EXPECT_NE(refusal(grid).find("more than the 100000 that a sweep may have"), std::string::npos);
}

TEST_F(SweepFile, EverythingThatIsWrongIsSaidWithItsPlace) {
  const std::string said = refusal(
      "  gird: {x: [1]}\n  grid: {x: 1}\n  seeds: [one]\n  limits: {second: 3}\n"
      "  baseline: {x: 9}\n");
  for (const char* part :
       {"s.yaml:3:3: error: sweep: no key 'gird'; did you mean 'grid'",
        "s.yaml:4:13: error: grid: 'x' = 1; expected a list", "seed = one is not",
        "did you mean 'seconds'", "baseline: no point has x=9"}) {
    EXPECT_NE(said.find(part), std::string::npos) << part << " in\n" << said;
  }
}

TEST_F(SweepFile, HalvingNeedsRisingSamples) {
  EXPECT_EQ(read("  grid: {x: [1]}\n  halving: {score: p.q, samples: [2, 8]}\n").halving->samples,
            (std::vector<int64_t>{2, 8}));
  EXPECT_NE(refusal("  halving: {score: p.q, samples: [8, 2]}\n").find("two rising numbers"),
            std::string::npos);
}

}  // namespace
}  // namespace momap
