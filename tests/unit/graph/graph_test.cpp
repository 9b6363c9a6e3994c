// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/graph/graph.h>
#include <momap/graph/yaml.h>
#include <momap/plugin/loader.h>

namespace momap {
namespace {

const Catalog& catalog() {
  static const Catalog kCatalog = Catalog::read({MOMAP_PROBES_FOLDER}, describe_in_children);
  return kCatalog;
}

Graph check(const std::string& yaml, const GraphOptions& options = {}) {
  return check_graph(parse_yaml(yaml, "g.yaml"), "g.yaml", catalog(), options);
}

std::string error_of(const std::string& yaml, const GraphOptions& options = {}) {
  try {
    check(yaml, options);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no error";
}

constexpr const char* kGood = R"(
seed: 5
steps:
  score: {use: metric/probe_mean, in: {result: b}}
  b: {use: annotation/probe_pass, in: a, with: {level: 2.5, fail_on: [1, 2]}}
  a: {use: source/probe}
)";

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "missing: " << part << "\nin:\n" << text;
}

TEST(Graph, PutsStepsAfterTheirInputs) {
  const Graph graph = check(kGood);
  ASSERT_EQ(graph.steps.size(), 3u);
  EXPECT_EQ(graph.steps[0].name, "a");
  EXPECT_EQ(graph.steps[1].name, "b");
  EXPECT_EQ(graph.steps[2].inputs[0].from, std::vector<size_t>{1});
  EXPECT_EQ(graph.seed, 5u);
}

TEST(Graph, ResolvedYamlGivesTheSameGraph) {
  const Graph graph = check(kGood);
  const std::string text = graph_yaml(graph);
  EXPECT_EQ(graph_yaml(check(text)), text);
  expect_has(text, "level: 2.5");
  expect_has(text, "samples: 4");
}

TEST(Graph, ResolvedYamlNamesNoFolderOfThisMachine) {
  const std::string yaml =
      "steps:\n  a: {use: source/probe, with: {file: '@'}}\n  s: {use: metric/probe_mean, in: "
      "{result: a}}\n";
  for (const std::string value : {"${share:models/x.bin}", "$${a} and $${b}", "plain"}) {
    std::string with = yaml;
    with.replace(with.find('@'), 1, value);
    const Graph graph = check(with);
    const std::string text = graph_yaml(graph);
    expect_has(text, value);
    EXPECT_EQ(text.find(install_root().string()), std::string::npos) << text;
    EXPECT_EQ(check(text).steps[0].params, graph.steps[0].params);
  }
}

TEST(Graph, StepsOfDifferentNamesGetDifferentSeeds) {
  const Graph graph = check(kGood);
  EXPECT_NE(graph.steps[0].seed, graph.steps[1].seed);
  EXPECT_EQ(check(kGood).steps[1].seed, graph.steps[1].seed);
}

TEST(Graph, ReportsAllProblemsAtOnceWithPlaceCaretAndNearestName) {
  TemporaryFolder folder;
  const auto file = folder.path() / "g.yaml";
  write_file(file,
             "sed: 1\nsteps:\n  a: {use: source/prob}\n  b: {use: annotation/probe_pass, in: c, "
             "with: {levl: 2}}\n");
  std::string text;
  try {
    read_graph(file, catalog());
  } catch (const ConfigError& e) {
    text = e.what();
  }
  expect_has(text, file.string() + ":1:1: error: no key 'sed' in a graph; did you mean 'seed'?");
  expect_has(text, ":3:12: error: step 'a': no plugin 'source/prob'; did you mean 'source/probe'?");
  expect_has(text, "  a: {use: source/prob}\n             ^");
  expect_has(text, ":4:39: error: step 'b' (annotation/probe_pass): no step 'c'");
  expect_has(text, "no parameter 'levl'; did you mean 'level'?");
}

TEST(Graph, ChecksRangesOfParameters) {
  expect_has(error_of("steps: {a: {use: source/probe}, b: {use: annotation/probe_pass, in: a, "
                      "with: {level: 11}}}"),
             "parameter 'level' = 11 is not allowed; expected [0, 10]");
}

TEST(Graph, RefusesWrongKinds) {
  expect_has(error_of(R"(steps:
  a: {use: source/probe}
  s: {use: metric/probe_mean, in: {result: a}}
  t: {use: metric/probe_mean, in: {result: s}})"),
             "step 't' (metric/probe_mean): input 1 is score (from 's'); expected result: clip");
}

TEST(Graph, RefusesMissingAndSurplusInputs) {
  expect_has(error_of("steps: {s: {use: metric/probe_mean}}"), "input 'result: clip' is missing");
  expect_has(
      error_of("steps: {a: {use: source/probe}, b: {use: annotation/probe_pass, in: [a, a]}}"),
      "takes 1 input(s): clip: clip; this is number 2");
  expect_has(error_of("steps: {a: {use: source/probe}, b: {use: source/probe, in: a}}"),
             "takes no input");
  expect_has(
      error_of("steps: {a: {use: source/probe}, s: {use: metric/probe_mean, in: {resalt: a}}}"),
      "no input 'resalt'; did you mean 'result'?");
}

TEST(Graph, ManyPortsTakeSeveralSteps) {
  const Graph graph = check(R"(steps:
  a: {use: source/probe}
  b: {use: annotation/probe_pass, in: a}
  s: {use: metric/probe_mean, in: {result: a, all: [a, b]}})");
  EXPECT_EQ(graph.steps[2].inputs[2].from.size(), 2u);
}

TEST(Graph, RefusesCircles) {
  const auto text = error_of(R"(steps:
  a: {use: annotation/probe_pass, in: c}
  b: {use: annotation/probe_pass, in: a}
  c: {use: annotation/probe_pass, in: b}
  s: {use: metric/probe_mean, in: {result: c}})");
  expect_has(text, "steps feed each other in a circle: a <- c <- b <- a");
}

TEST(Graph, RefusesUnusedSteps) {
  expect_has(error_of("steps: {a: {use: source/probe}, b: {use: annotation/probe_pass, in: a}}"),
             "step 'b' is not used: no score or file depends on it");
}

TEST(Graph, OnlyEncodingsCanBeReversed) {
  expect_has(error_of("steps: {a: {use: source/probe}, b: {reverse: a, in: [a, a]}}"),
             "only an encoding can be reversed");
  expect_has(error_of("steps: {a: {use: source/probe, reverse: true, in: [a, a]}}"),
             "expected true, beside an encoding");
}

TEST(Graph, RefusesStepsThatAreNoMapping) {
  expect_has(error_of("steps: {a: 3}"), "step 'a' is 3; expected a mapping with 'use'");
  expect_has(error_of("steps: {a: {}}"), "has neither 'use' nor 'reverse'");
  expect_has(error_of("[1]"), "a graph is a mapping with 'steps'");
  expect_has(error_of("seed: 1"), "a graph needs 'steps'");
  expect_has(error_of("{seed: -1, steps: {a: {use: source/probe}}}"),
             "'seed' = -1 is not allowed; expected >= 0");
}

TEST(Graph, OverridesChangeParametersAndSeeds) {
  GraphOptions options;
  options.overrides = {"b.with.level=7", "seed=9", "a.with.samples=2"};
  const Graph graph = check(kGood, options);
  EXPECT_EQ(std::get<double>(graph.steps[1].params[5].second), 7.0);
  EXPECT_EQ(graph.seed, 9u);
}

TEST(Graph, OverridesOfUnknownStepsAndWrongValuesAreRefused) {
  GraphOptions options;
  options.overrides = {"bb.with.level=7"};
  expect_has(error_of(kGood, options), "no step 'bb'; did you mean 'b'?");
  options.overrides = {"b.with.level=high"};
  expect_has(error_of(kGood, options),
             "--set b.with.level=high: error: step 'b' (annotation/probe_pass): parameter 'level' "
             "= high is not a real");
  options.overrides = {"level"};
  expect_has(error_of(kGood, options), "expected key.path=value");
}

TEST(Graph, InterpolatesEnvironmentAndKeys) {
  ::setenv("MOMAP_TEST_LEVEL", "3.5", 1);
  const Graph graph = check(R"(steps:
  a: {use: source/probe, with: {samples: "${seed}"}}
  b: {use: annotation/probe_pass, in: a, with: {level: '${env:MOMAP_TEST_LEVEL}'}}
  s: {use: metric/probe_mean, in: {result: b}, with: {mode: '${env:MOMAP_TEST_UNSET:-mean}'}}
seed: 3)");
  EXPECT_EQ(std::get<int64_t>(graph.steps[0].params[0].second), 3);
  EXPECT_EQ(std::get<double>(graph.steps[1].params[5].second), 3.5);
  expect_has(error_of("steps: {a: {use: '${env:MOMAP_TEST_UNSET}'}}"),
             "environment variable 'MOMAP_TEST_UNSET' is not set");
  expect_has(error_of("steps: {a: {use: '${steps.a.use}'}}"), "refers to itself");
  expect_has(error_of("steps: {a: {use: '${nothing.here}'}}"), "names no key of this file");
}

TEST(Yaml, RefusesWhatCouldExhaustTheMachine) {
  EXPECT_THROW(parse_yaml(std::string(10'000, '['), "deep.yaml"), ConfigError);
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested += "[";
  for (int i = 0; i < 10'000; ++i) nested += "]";
  EXPECT_THROW(parse_yaml(nested, "deep.yaml"), ConfigError);
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ",*a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THROW(parse_yaml(bomb, "bomb.yaml"), ConfigError);
}

TEST(Yaml, RefusesDuplicateKeysAndSecondDocuments) {
  EXPECT_THROW(parse_yaml("{a: 1, a: 2}", "x.yaml"), ConfigError);
  EXPECT_THROW(parse_yaml("a: 1\n---\nb: 2\n", "x.yaml"), ConfigError);
  EXPECT_THROW(parse_yaml("a: [1", "x.yaml"), ConfigError);
}

TEST(Yaml, KeepsPlaces) {
  const Config config = parse_yaml("a:\n  b: [1, two]\n", "x.yaml");
  const Config& two = config.find("a")->find("b")->items()[1];
  EXPECT_EQ(two.mark().line, 2);
  EXPECT_EQ(two.mark().column, 10);
}

}  // namespace
}  // namespace momap
