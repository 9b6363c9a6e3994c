// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/catalog/catalog.h>
#include <momap/catalog/describe.h>
#include <momap/plugin/loader.h>

#include <algorithm>
#include <cstdlib>

namespace momap {
namespace {

namespace fs = std::filesystem;

const fs::path kProbes = fs::path(MOMAP_PROBES_FOLDER).parent_path();

// The one problem of a library that cannot be used; the good plugins beside it still load.
LibraryProblem problem_of(const std::string& name) {
  TemporaryFolder folder;
  fs::copy_file(kProbes / name / (name + ".so"), folder.path() / (name + ".so"));
  fs::copy_file(kProbes / "probes/probes.so", folder.path() / "probes.so");
  const auto catalog = Catalog::read({folder.path()}, describe_in_children);
  EXPECT_NE(catalog.find("source/probe"), nullptr) << "a bad library stopped a good one";
  EXPECT_EQ(catalog.problems().size(), 1u);
  return catalog.problems().empty() ? LibraryProblem{} : catalog.problems()[0];
}

class CatalogTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("MOMAP_CACHE_DIR", cache_.path().c_str(), 1); }
  TemporaryFolder cache_;
};

TEST_F(CatalogTest, DescribesSeveralPluginsOfOneLibrary) {
  const auto catalog = Catalog::read({kProbes / "probes"}, describe_in_children);
  EXPECT_GE(catalog.plugins().size(), 7u);
  const PluginInfo* plugin = catalog.find("annotation/probe_pass");
  ASSERT_NE(plugin, nullptr);
  EXPECT_EQ(plugin->params.back().name, "level");
  EXPECT_EQ(plugin->params.back().maximum, 10);
  EXPECT_EQ(catalog.find("annotation/probe_alone")->concurrency, Concurrency::whole_machine);
  EXPECT_TRUE(catalog.find("annotation/probe_noise")->uses_seed);
}

TEST_F(CatalogTest, SecondReadingLoadsNothing) {
  Catalog::read({kProbes / "probes"}, describe_in_children);
  int described = 0;
  const auto again =
      Catalog::read({kProbes / "probes"}, [&](const std::vector<fs::path>& libraries) {
        described += static_cast<int>(libraries.size());
        return describe_in_children(libraries);
      });
  EXPECT_EQ(described, 0);
  EXPECT_EQ(describe_json(*again.find("metric/probe_mean")).find("\"library\": \"\""),
            std::string::npos);
}

TEST_F(CatalogTest, CrashingConstructorIsNamedAndDoesNotStopOthers) {
  const auto problem = problem_of("broken_constructor");
  EXPECT_NE(problem.reason.find("crashed while being loaded (Segmentation fault)"),
            std::string::npos)
      << problem.text();
}

TEST_F(CatalogTest, ExitInAConstructorIsNamed) {
  EXPECT_NE(problem_of("broken_exit").reason.find("ended the process while being loaded"),
            std::string::npos);
}

TEST_F(CatalogTest, MissingSymbolIsNamed) {
  const auto problem = problem_of("broken_symbol");
  EXPECT_NE(problem.reason.find("nobody_defines_this"), std::string::npos) << problem.text();
}

TEST_F(CatalogTest, MissingDependencyIsNamed) {
  const auto problem = problem_of("broken_dependency");
  EXPECT_NE(problem.reason.find("needs library 'libvanishing.so', which is not found"),
            std::string::npos)
      << problem.text();
  EXPECT_NE(problem.remedy.find("LD_LIBRARY_PATH"), std::string::npos);
}

TEST_F(CatalogTest, OldAbiIsNamedWithoutLoading) {
  const auto problem = problem_of("old_abi");
  EXPECT_EQ(problem.reason,
            "is built for plugin ABI 0; this momap has ABI " + std::to_string(kPluginAbi));
  EXPECT_EQ(problem.remedy, "rebuild the plugin against this momap");
}

TEST_F(CatalogTest, ForeignLibraryIsNamed) {
  EXPECT_NE(problem_of("foreign").reason.find("is not a MoMap plugin"), std::string::npos);
}

TEST_F(CatalogTest, UnknownStageIsNamed) {
  const auto problem = problem_of("broken_stage");
  EXPECT_NE(problem.text().find("does not start with a stage; did you mean 'annotation'?"),
            std::string::npos)
      << problem.text();
}

TEST_F(CatalogTest, BrokenFilesAreNamed) {
  TemporaryFolder folder;
  write_file(folder.path() / "a_empty.so", "");
  write_file(folder.path() / "b_text.so", "hello");
  const std::string whole = read_file(kProbes / "probes/probes.so");
  write_file(folder.path() / "c_cut.so", whole.substr(0, whole.size() / 2));
  std::string other_machine = whole;
  other_machine[18] = 0x28;  // e_machine: ARM
  write_file(folder.path() / "d_arm.so", other_machine);
  const auto catalog = Catalog::read({folder.path()}, describe_in_children);
  ASSERT_EQ(catalog.problems().size(), 4u);
  EXPECT_EQ(catalog.problems()[0].reason, "is empty (0 bytes)");
  EXPECT_EQ(catalog.problems()[1].reason, "is not a shared library (no ELF header)");
  EXPECT_EQ(catalog.problems()[2].reason, "is cut short or damaged");
  EXPECT_NE(catalog.problems()[3].reason.find("another processor"), std::string::npos);
}

TEST_F(CatalogTest, OtherLibTorchIsNamed) {
  TemporaryFolder folder;
  std::string bytes = read_file(kProbes / "probes/probes.so");
  const std::string before = "abi=" + std::to_string(kPluginAbi) + " torch=";
  const size_t at = bytes.find(before);
  ASSERT_NE(at, std::string::npos);
  bytes[at + before.size()] = '9';
  write_file(folder.path() / "other.so", bytes);
  const auto catalog = Catalog::read({folder.path()}, describe_in_children);
  ASSERT_EQ(catalog.problems().size(), 1u);
  EXPECT_NE(catalog.problems()[0].reason.find("is built with LibTorch 9"), std::string::npos);
}

TEST_F(CatalogTest, DuplicateIdsNameBothFiles) {
  const auto catalog =
      Catalog::read({kProbes / "probes", kProbes / "probe_twin"}, describe_in_children);
  ASSERT_EQ(catalog.duplicates().size(), 1u);
  const auto& text = catalog.duplicates().at("annotation/probe_pass");
  EXPECT_NE(text.find("probes.so"), std::string::npos);
  EXPECT_NE(text.find("probe_twin.so"), std::string::npos);
  EXPECT_EQ(catalog.find("annotation/probe_pass"), nullptr);
}

TEST_F(CatalogTest, ObjectsOutliveTheirLibraryHandle) {
  auto library = PluginLibrary::open(kProbes / "probes/probes.so");
  const auto infos = library->describe();
  const auto info = std::ranges::find(infos, "source/probe", &PluginInfo::id);
  auto stage = library->make_stage("source/probe", default_values(info->params));
  library.reset();
  stage.reset();  // its destructor is code of the library
}

TEST_F(CatalogTest, JsonRoundTripKeepsEverything) {
  const auto reports = describe_in_children({kProbes / "probes/probes.so"});
  const auto text = reports_to_json(reports);
  EXPECT_EQ(reports_to_json(reports_from_json(text)), text);
}

TEST_F(CatalogTest, DescribesAsPasteableYamlMarkdownAndSchema) {
  const auto catalog = Catalog::read({kProbes / "probes"}, describe_in_children);
  const PluginInfo& plugin = *catalog.find("annotation/probe_pass");
  EXPECT_NE(describe_text(plugin).find("  level: 1   # real, [0, 10]. Something with a range."),
            std::string::npos)
      << describe_text(plugin);
  EXPECT_NE(describe_markdown(plugin).find("| `level` | `1` | real, [0, 10] |"), std::string::npos);
  EXPECT_NE(describe_json_schema(plugin).find("\"maximum\": 10"), std::string::npos);
}

TEST(Stages, PortSignaturesAreRead) {
  const auto ports = parse_ports("result: clip | partial_clip, all: momap*?");
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_TRUE(ports[0].accepts(Kind::partial_clip));
  EXPECT_TRUE(ports[1].many && ports[1].optional);
  EXPECT_EQ(ports[1].text(), "all: momap*?");
  EXPECT_THROW(parse_ports("a: clop"), std::invalid_argument);
  EXPECT_THROW(parse_ports("a"), std::invalid_argument);
}

// plugins/CMakeLists.txt lists the stages too; this keeps the two the same.
TEST(Stages, BuildOrderIsTheStageOrder) {
  const std::string cmake = read_file(fs::path(MOMAP_SOURCE_DIR) / "plugins/CMakeLists.txt");
  size_t at = 0;
  for (const auto& stage : kStages) {
    const size_t found = cmake.find("add_subdirectory(" + std::string(stage.name) + ")", at);
    ASSERT_NE(found, std::string::npos) << stage.name << " is missing or out of order";
    at = found;
  }
}

}  // namespace
}  // namespace momap
