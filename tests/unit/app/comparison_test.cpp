// SPDX-License-Identifier: Apache-2.0
#include "comparison.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

namespace momap {
namespace {

namespace fs = std::filesystem;

// What a run writes, with the parts that matter here open.
struct Written {
  std::string steps = "{use: warping/point_splat, in: {image: a, momap: m}, with: {radius: 1}}";
  int source_version = 1;
  int protocol = 1;
  std::string better = "lower";
  std::string lines;  // of scores.jsonl
  int from_cache = 0;
};

FinishedRun run(const fs::path& folder, const Written& w) {
  write_file(folder / "run.json",
             fmt::format(R"({{
    "format": 1, "finished": "2026-01-31T12:00:00Z", "graph_file": "g.yaml",
    "graph": "seed: 0\nsteps:\n  warp: {}\n", "seed": 0,
    "plugins": {{"source/x": {{"version": {}, "library": "/x.so", "hash": "0a"}}}},
    "build": "abi=2", "host": {{"system": "Linux", "machine": "x86_64", "name": "here"}},
    "samples": 3, "done": 3, "failed": 0, "cancelled": false, "seconds": 1.5,
    "peak_resident_bytes": 1000,
    "steps": [{{"step": "warp", "plugin": "warping/point_splat", "computed": 2, "from_cache": {},
                "seconds": 4.0, "largest_output_bytes": 1}}],
    "scores": [{{"step": "s", "name": "error", "unit": "m", "better": "{}", "worst": null,
                 "protocol": {}, "samples": 3, "mean": 2.0, "spread": 1.0}}],
    "pooled": [{{"step": "p", "name": "fvmd", "unit": "", "better": "lower", "worst": null,
                 "protocol": 1, "value": 7.0}}], "failures": []}})",
                         w.steps, w.source_version, w.from_cache, w.better, w.protocol));
  write_file(folder / "scores.jsonl", w.lines);
  return read_finished_run(folder);
}

std::string line(const std::string& sample, const std::vector<std::string>& values) {
  std::string scores;
  for (size_t k = 0; k < values.size(); ++k) {
    const bool number = values[k] != "undefined";
    scores += fmt::format(
        "{}{{\"step\": \"s\", \"k\": {}, \"name\": \"error\", {}}}", k ? ", " : "", k,
        number ? fmt::format("\"value\": {}", values[k]) : "\"undefined\": \"empty mask\"");
  }
  return fmt::format("{{\"sample\": \"{}\", \"scores\": [{}]}}\n", sample, scores);
}

class ComparisonOfRuns : public testing::Test {
 protected:
  FinishedRun a(const Written& w) { return run(folder_.path() / "a", w); }
  FinishedRun b(const Written& w) { return run(folder_.path() / "b", w); }
  static std::string refusal(const FinishedRun& a, const FinishedRun& b) {
    try {
      compare_runs(a, b);
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  }
  TemporaryFolder folder_;
};

TEST_F(ComparisonOfRuns, PairsBySampleWhateverTheOrder) {
  const auto result =
      compare_runs(a({.lines = line("x", {"1"}) + line("y", {"2"}) + line("z", {"6"})}),
                   b({.lines = line("z", {"5"}) + line("x", {"0"}) + line("y", {"1"})}));
  const PairedScore& score = result.scores.at(0);
  EXPECT_EQ(score.pairs, 3);
  EXPECT_EQ(score.a, 3);
  EXPECT_EQ(score.b, 2);
  EXPECT_EQ(score.difference, -1);  // in every pair, so the interval has no width
  EXPECT_EQ(score.interval->low, -1);
  EXPECT_EQ(score.interval->high, -1);
  EXPECT_EQ(score.verdict(), PairedScore::Verdict::b_better);
}

TEST_F(ComparisonOfRuns, KnowsWhichDirectionIsBetter) {
  const auto lines = line("x", {"1"}) + line("y", {"2"});
  const auto more = line("x", {"2"}) + line("y", {"3"});
  const auto lower = compare_runs(a({.lines = lines}), b({.lines = more}));
  EXPECT_EQ(lower.scores.at(0).verdict(), PairedScore::Verdict::a_better);
  const auto higher =
      compare_runs(a({.better = "higher", .lines = lines}), b({.better = "higher", .lines = more}));
  EXPECT_EQ(higher.scores.at(0).verdict(), PairedScore::Verdict::b_better);
}

TEST_F(ComparisonOfRuns, ADifferenceThatChangesSignIsATie) {
  const auto result =
      compare_runs(a({.lines = line("x", {"1"}) + line("y", {"2"}) + line("z", {"3"})}),
                   b({.lines = line("x", {"2"}) + line("y", {"1"}) + line("z", {"3"})}));
  EXPECT_EQ(result.scores.at(0).verdict(), PairedScore::Verdict::tied);
}

TEST_F(ComparisonOfRuns, ASampleCountsOnceHoweverManyFuturesItHas) {
  const auto result = compare_runs(a({.lines = line("x", {"1", "3"}) + line("y", {"0"})}),
                                   b({.lines = line("x", {"2", "undefined"}) + line("y", {"4"})}));
  const PairedScore& score = result.scores.at(0);
  EXPECT_EQ(score.pairs, 2);
  EXPECT_EQ(score.a, 0.5);  // x: future 0 only, as future 1 is undefined in B
  EXPECT_EQ(score.b, 3);
  EXPECT_EQ(score.unpaired, 0);
}

TEST_F(ComparisonOfRuns, CountsSamplesWithoutAPair) {
  const auto result = compare_runs(
      a({.lines = line("x", {"1"}) + line("y", {"2"}) + line("only in A", {"3"})}),
      b({.lines = line("x", {"1"}) + line("y", {"undefined"}) + line("only in B", {"3"})}));
  EXPECT_EQ(result.scores.at(0).pairs, 1);
  EXPECT_EQ(result.scores.at(0).unpaired, 3);
  EXPECT_EQ(result.scores.at(0).verdict(), PairedScore::Verdict::unknown);  // one pair
}

TEST_F(ComparisonOfRuns, NamesWhatDiffersInTheGraph) {
  const auto lines = line("x", {"1"});
  const auto result = compare_runs(
      a({.lines = lines}),
      b({.steps = "{use: warping/mesh, in: {image: a, momap: m}, with: {edges: [1, 2]}}",
         .lines = lines}));
  ASSERT_EQ(result.settings.size(), 3u);
  EXPECT_EQ(result.settings[0].what, "warp.use");
  EXPECT_EQ(result.settings[0].b, "warping/mesh");
  EXPECT_EQ(result.settings[1].what, "warp.with.edges");
  EXPECT_EQ(result.settings[1].a, "");
  EXPECT_EQ(result.settings[1].b, "[1, 2]");
  EXPECT_EQ(result.settings[2].what, "warp.with.radius");
  EXPECT_TRUE(result.surroundings.empty());
}

TEST_F(ComparisonOfRuns, DoesNotCompareScoresOfDifferentProtocols) {
  const auto lines = line("x", {"1"});
  const auto result = compare_runs(a({.lines = lines}), b({.protocol = 2, .lines = lines}));
  EXPECT_EQ(result.scores.at(0).refusal, "protocol 1 against 2");
  EXPECT_FALSE(result.scores.at(0).difference);
  EXPECT_EQ(result.pooled.at(0).difference, 0);
}

TEST_F(ComparisonOfRuns, RefusesDifferentVersionsOfTheData) {
  const auto lines = line("x", {"1"});
  const auto text = refusal(a({.lines = lines}), b({.source_version = 2, .lines = lines}));
  EXPECT_NE(text.find("version 1 and version 2 of source/x"), std::string::npos) << text;
}

TEST_F(ComparisonOfRuns, ComparesTimesOnlyOfStepsThatBothComputed) {
  const auto lines = line("x", {"1"});
  EXPECT_EQ(compare_runs(a({.lines = lines}), b({.lines = lines})).costs.at(0).a_seconds, 2);
  EXPECT_TRUE(
      compare_runs(a({.lines = lines}), b({.lines = lines, .from_cache = 1})).costs.empty());
}

TEST_F(ComparisonOfRuns, RefusesFilesThatARunDoesNotWrite) {
  a({.lines = line("x", {"1"})});
  const fs::path folder = folder_.path() / "a";
  for (const char* text : {"", "{", "[]", "{\"format\": 2}", "{\"format\": 1, \"finished\": 3}"}) {
    write_file(folder / "run.json", text);
    EXPECT_THROW(read_finished_run(folder), ConfigError) << text;
  }
  a({.lines = line("x", {"1"})});
  for (const char* text :
       {"{", "{\"sample\": 1, \"scores\": []}\n",
        "{\"sample\": \"x\", \"scores\": [{\"step\": \"s\", \"name\": \"other\", "
        "\"k\": 0, \"value\": 1}]}\n"}) {
    write_file(folder / "scores.jsonl", text);
    try {
      read_finished_run(folder);
      ADD_FAILURE() << text;
    } catch (const ConfigError& e) {
      EXPECT_NE(std::string(e.what()).find("scores.jsonl:1: error"), std::string::npos) << e.what();
    }
  }
  fs::remove(folder / "scores.jsonl");
  EXPECT_THROW(read_finished_run(folder), ConfigError);
}

}  // namespace
}  // namespace momap
