// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/graph/yaml.h>
#include <momap/params/params.h>

namespace momap {
namespace {

struct Every {
  bool on = false;
  int count = 3;
  int64_t seed = 0;
  double ratio = 0.5;
  float scale = 1.5f;
  std::string mode = "fast";
  std::vector<int> sizes{1, 2};
  std::vector<double> weights{0.25};
  std::vector<std::string> names{"a"};

  static auto schema() {
    return std::tuple{
        param("on", &Every::on, "A switch."),
        param("count", &Every::count, "A count.").between(1, 8),
        param("seed", &Every::seed, "Any whole number."),
        param("ratio", &Every::ratio, "A share.").above(0).unit("px"),
        param("scale", &Every::scale, "A scale.").at_least(1),
        param("mode", &Every::mode, "How.").one_of({"fast", "careful"}),
        param("sizes", &Every::sizes, "Sizes.").between(0, 100),
        param("weights", &Every::weights, "Weights.").below(1),
        param("names", &Every::names, "Names."),
    };
  }
};

struct Needy {
  std::string path;
  static auto schema() {
    return std::tuple{param("path", &Needy::path, "File to read.").required().file()};
  }
};

struct Plain {
  int count = 3;
  std::vector<int> sizes;
  static auto schema() {
    return std::tuple{param("count", &Plain::count, "Without a range."),
                      param("sizes", &Plain::sizes, "Without a range.")};
  }
};

template <class Struct>
Struct read(const std::string& yaml) {
  Problems problems;
  const auto values = check_params(schema_of<Struct>(), parse_yaml(yaml, "test.yaml"),
                                   "step 'x' (stage/name)", "see: docs", problems);
  problems.throw_if_any();
  return from_values<Struct>(values);
}

template <class Struct>
std::vector<Problem> problems_of(const std::string& yaml) {
  Problems problems;
  check_params(schema_of<Struct>(), parse_yaml(yaml, "test.yaml"), "step 'x' (stage/name)",
               "see: docs", problems);
  return problems.list();
}

// The one problem of `yaml`, or what was found instead.
template <class Struct>
std::string problem_of(const std::string& yaml) {
  const auto problems = problems_of<Struct>(yaml);
  if (problems.size() != 1) return std::to_string(problems.size()) + " problems";
  return problems[0].message;
}

const std::string kOwner = "step 'x' (stage/name): ";

TEST(Params, AbsentKeysKeepTheDefaultsOfTheStruct) {
  for (const char* yaml : {"{}", "", "~"}) {
    const auto params = read<Every>(yaml);
    EXPECT_FALSE(params.on);
    EXPECT_EQ(params.count, 3);
    EXPECT_EQ(params.ratio, 0.5);
    EXPECT_EQ(params.scale, 1.5f);
    EXPECT_EQ(params.mode, "fast");
    EXPECT_EQ(params.sizes, (std::vector<int>{1, 2}));
  }
}

TEST(Params, EveryTypeIsReadFromYaml) {
  const auto params = read<Every>(
      "{on: true, count: 8, seed: -9223372036854775808, ratio: 1e-3, scale: 2.5, mode: careful, "
      "sizes: [0, 100], weights: [-1.5, 0.999], names: [x, '7']}");
  EXPECT_TRUE(params.on);
  EXPECT_EQ(params.count, 8);
  EXPECT_EQ(params.seed, INT64_MIN);
  EXPECT_EQ(params.ratio, 1e-3);
  EXPECT_EQ(params.scale, 2.5f);
  EXPECT_EQ(params.mode, "careful");
  EXPECT_EQ(params.sizes, (std::vector<int>{0, 100}));
  EXPECT_EQ(params.weights, (std::vector<double>{-1.5, 0.999}));
  EXPECT_EQ(params.names, (std::vector<std::string>{"x", "7"}));
}

TEST(Params, RealsAcceptWholeNumbersAndListsMayBeEmpty) {
  const auto params = read<Every>("{ratio: 2, scale: +1, sizes: [], names: []}");
  EXPECT_EQ(params.ratio, 2.0);
  EXPECT_EQ(params.scale, 1.0f);
  EXPECT_TRUE(params.sizes.empty());
  EXPECT_TRUE(params.names.empty());
}

TEST(Params, NullKeepsTheDefault) { EXPECT_EQ(read<Every>("{count: ~, mode: null}").count, 3); }

TEST(Params, AnUnknownKeyIsRefusedWithTheNearestName) {
  EXPECT_EQ(problem_of<Every>("{cuont: 4}"),
            kOwner + "no parameter 'cuont'; did you mean 'count'?");
  EXPECT_EQ(problem_of<Needy>("{path: a, colour: 1}"),
            kOwner + "no parameter 'colour'; known: path");
}

TEST(Params, WrongTypesAreNamed) {
  EXPECT_EQ(problem_of<Every>("{count: four}"), kOwner + "parameter 'count' = four is not an int");
  EXPECT_EQ(problem_of<Every>("{count: 2.5}"), kOwner + "parameter 'count' = 2.5 is not an int");
  EXPECT_EQ(problem_of<Every>("{ratio: half}"), kOwner + "parameter 'ratio' = half is not a real");
  EXPECT_EQ(problem_of<Every>("{on: 1}"), kOwner + "parameter 'on' = 1 is not a bool");
  EXPECT_EQ(problem_of<Every>("{mode: [fast]}"),
            kOwner + "parameter 'mode' = a list is not a string");
  EXPECT_EQ(problem_of<Every>("{sizes: 3}"),
            kOwner + "parameter 'sizes' = 3 is not a list of int; write [a, b]");
  EXPECT_EQ(problem_of<Every>("{sizes: [1, x]}"), kOwner + "parameter 'sizes' = x is not an int");
}

TEST(Params, AQuotedNumberIsAStringAndNotANumber) {
  EXPECT_EQ(problem_of<Every>("{count: '4'}"), kOwner + "parameter 'count' = '4' is not an int");
  EXPECT_EQ(problem_of<Every>("{on: \"true\"}"), kOwner + "parameter 'on' = 'true' is not a bool");
  EXPECT_EQ(read<Needy>("{path: '4'}").path, "4");
  EXPECT_EQ(read<Needy>("{path: 4}").path, "4");
}

TEST(Params, BoundsAreInclusiveOrNotAsDeclared) {
  EXPECT_EQ(problem_of<Every>("{count: 0}"),
            kOwner + "parameter 'count' = 0 is not allowed; expected [1, 8]");
  EXPECT_EQ(problem_of<Every>("{count: 9}"),
            kOwner + "parameter 'count' = 9 is not allowed; expected [1, 8]");
  EXPECT_EQ(problem_of<Every>("{ratio: 0}"),
            kOwner + "parameter 'ratio' = 0 is not allowed; expected > 0");
  EXPECT_EQ(problem_of<Every>("{scale: 0.99}"),
            kOwner + "parameter 'scale' = 0.99 is not allowed; expected >= 1");
  EXPECT_EQ(problem_of<Every>("{weights: [0.5, 1]}"),
            kOwner + "parameter 'weights' = 1 is not allowed; expected < 1");
  EXPECT_EQ(problem_of<Every>("{sizes: [5, 101]}"),
            kOwner + "parameter 'sizes' = 101 is not allowed; expected [0, 100]");
}

TEST(Params, ChoicesAreListedAndTheNearestIsNamed) {
  EXPECT_EQ(problem_of<Every>("{mode: slow}"),
            kOwner + "parameter 'mode' = slow is not allowed; expected one of fast careful");
  EXPECT_EQ(problem_of<Every>("{mode: carefull}"),
            kOwner +
                "parameter 'mode' = carefull is not allowed; expected one of fast careful; "
                "did you mean 'careful'?");
}

TEST(Params, NumbersThatAreNotFiniteAreRefused) {
  for (const char* value : {"nan", "inf", "-inf", ".nan", ".inf", "1e999", "infinity"}) {
    EXPECT_EQ(problems_of<Every>(std::string("{scale: ") + value + "}").size(), 1u) << value;
    EXPECT_EQ(problems_of<Every>(std::string("{weights: [") + value + "]}").size(), 1u) << value;
  }
}

TEST(Params, HugeIntegersAreRefusedAndNeverWrap) {
  EXPECT_EQ(problem_of<Every>("{seed: 9223372036854775808}"),
            kOwner + "parameter 'seed' = 9223372036854775808 is not an int");
  EXPECT_EQ(read<Every>("{seed: 9223372036854775807}").seed, INT64_MAX);
  // 2^32 + 3 must not become 3 in a 32-bit member.
  EXPECT_THROW(read<Plain>("{count: 4294967299}"), ConfigError);
  EXPECT_THROW(read<Plain>("{sizes: [1, 4294967299]}"), ConfigError);
  EXPECT_EQ(read<Plain>("{count: 2147483647}").count, INT32_MAX);
}

TEST(Params, ARequiredParameterMustBeGivenAndNotEmpty) {
  EXPECT_EQ(problem_of<Needy>("{}"), kOwner + "parameter 'path' is missing (File to read.)");
  EXPECT_EQ(problem_of<Needy>("{path: ~}"), kOwner + "parameter 'path' is missing (File to read.)");
  EXPECT_EQ(problems_of<Needy>("{path: ''}").size(), 1u);
  EXPECT_EQ(read<Needy>("{path: clip.mp4}").path, "clip.mp4");
}

TEST(Params, AllProblemsAreReportedWithTheirPlace) {
  const auto problems = problems_of<Every>("count: 12\nmode: slow\nlevel: 1\n");
  ASSERT_EQ(problems.size(), 3u);
  Problems gathered;
  for (const auto& problem : problems) {
    EXPECT_EQ(problem.mark.file, "test.yaml");
    EXPECT_EQ(problem.hint, "see: docs");
    gathered.add(problem.mark, problem.message, problem.hint);
  }
  const std::string report = gathered.report();
  EXPECT_LT(report.find("test.yaml:1:8: error: "), report.find("test.yaml:2:7: error: "));
  EXPECT_LT(report.find("test.yaml:2:7: error: "), report.find("test.yaml:3:1: error: "));
}

TEST(Params, OnlyAMappingIsAccepted) {
  EXPECT_EQ(problem_of<Every>("[1, 2]"), kOwner + "'with' = a list is not a mapping of parameters");
  EXPECT_EQ(problem_of<Every>("7"), kOwner + "'with' = 7 is not a mapping of parameters");
}

TEST(ParamText, NamesTypesAndRules) {
  const ParamSchema schema = schema_of<Every>();
  std::vector<std::string> types, rules;
  for (const auto& info : schema) {
    types.push_back(type_name(info));
    rules.push_back(rule_text(info));
  }
  EXPECT_EQ(types, (std::vector<std::string>{"bool", "int", "int", "real", "real", "string",
                                             "list of int", "list of real", "list of string"}));
  EXPECT_EQ(rules, (std::vector<std::string>{"", "[1, 8]", "", "> 0", ">= 1", "one of fast careful",
                                             "[0, 100]", "< 1", ""}));
  EXPECT_EQ(schema[3].unit, "px");
}

TEST(ParamText, YamlOfEveryValueReadsBackAsTheSameValue) {
  const std::vector<std::string> awkward{
      "plain",     "",      "true",      "null",    "~",     "12",          "-3",
      "a b",       "a: b",  "# comment", "quo\"te", "it's",  "back\\slash", "line\nbreak",
      "tab\tstop", "yes",   "1e3",       ".5",      "+4",    "=",           "<<",
      "? x",       "Grüße", "a#b",       "@x",      "*star", "%d"};
  ParamInfo text;
  text.name = "v";
  text.default_value = std::string("default");
  for (const auto& value : awkward) {
    Problems problems;
    const auto back =
        check_params({text}, parse_yaml("v: " + yaml_text(value), "t"), "o", "", problems);
    EXPECT_TRUE(problems.empty()) << yaml_text(value) << "\n" << problems.report();
    EXPECT_EQ(std::get<std::string>(back[0].second), value) << yaml_text(value);
  }
  ParamInfo number;
  number.name = "v";
  number.default_value = 0.0;
  for (const double value : {0.1, 1e-300, -2.5, 1e22, 123456789.123456789, 3.0}) {
    Problems problems;
    const auto back =
        check_params({number}, parse_yaml("v: " + yaml_text(value), "t"), "o", "", problems);
    EXPECT_EQ(std::get<double>(back[0].second), value) << yaml_text(value);
  }
}

}  // namespace
}  // namespace momap
