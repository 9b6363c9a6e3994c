// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/contract/contract.h>

#include <algorithm>
#include <map>

namespace momap {
namespace {

// All findings on the library of bad plugins, made once: check name -> result, by plugin.
const std::map<std::string, std::map<std::string, ContractResult>>& findings() {
  static const auto kFindings = [] {
    std::map<std::string, std::map<std::string, ContractResult>> found;
    for (auto& result : check_contract(MOMAP_BAD_PLUGINS)) {
      found[result.plugin].emplace(result.check, result);
    }
    return found;
  }();
  return kFindings;
}

// "failed: why", "skipped: why", "passed" or "not run".
std::string verdict(const std::string& plugin, const std::string& check) {
  const auto found = findings().find(plugin);
  if (found == findings().end()) return "plugin not checked";
  const auto result = found->second.find(check);
  if (result == found->second.end()) return "not run";
  if (result->second.skipped) return "skipped: " + result->second.detail;
  return result->second.passed ? "passed" : "failed: " + result->second.detail;
}

// Names of the checks that failed.
std::vector<std::string> failed(const std::string& plugin) {
  std::vector<std::string> names;
  for (const auto& [name, result] : findings().at(plugin)) {
    if (!result.passed && !result.skipped) names.push_back(name);
  }
  return names;
}

using Names = std::vector<std::string>;

#define EXPECT_FAILS(plugin, check, part)                             \
  EXPECT_TRUE(verdict(plugin, check).starts_with("failed: ") &&       \
              verdict(plugin, check).find(part) != std::string::npos) \
      << verdict(plugin, check);                                      \
  EXPECT_EQ(failed(plugin), Names{check})

constexpr const char* kResult = "right noun, shape and masks";

TEST(Contract, AGoodPluginPassesEveryCheck) {
  EXPECT_EQ(failed("completion/good"), Names{});
  for (const auto& [name, result] : findings().at("completion/good")) {
    EXPECT_TRUE(result.passed) << name << ": " << result.detail;
  }
  EXPECT_EQ(findings().at("completion/good").size(), 11u);
}

TEST(Contract, NoticesResultsThatDifferFromCallToCall) {
  EXPECT_EQ(
      failed("completion/nondeterministic"),
      (Names{"another seed matters only where declared", "same bytes for any number of threads",
             "same bytes for calls at once", "same seed, same bytes"}));
}

TEST(Contract, NoticesACoveredPixelThatChanged) {
  EXPECT_FAILS("completion/touches_covered", kResult, "covered pixel 0 has changed");
}

TEST(Contract, ACrashIsAFindingAndTheNextPluginIsStillChecked) {
  EXPECT_FAILS("completion/crashes_on_one_pixel", "1 x 1 px, one frame: a result or a DataError",
               "crashed");
  EXPECT_NE(verdict("completion/throws_on_odd_sizes", kResult), "plugin not checked");
}

TEST(Contract, NoticesAnExceptionThatIsNotADataError) {
  EXPECT_FAILS("completion/throws_on_odd_sizes",
               "23 x 17 px, three frames: a result or a DataError", "threw row 17");
}

TEST(Contract, NoticesASeedThatIsNotDeclared) {
  EXPECT_FAILS("completion/uses_undeclared_seed", "another seed matters only where declared",
               "another seed");
}

TEST(Contract, NoticesResultsThatDependOnThreads) {
  const auto names = failed("completion/depends_on_threads");
  EXPECT_NE(std::ranges::find(names, "same bytes for any number of threads"), names.end());
}

TEST(Contract, NoticesStateSharedBetweenCalls) {
  EXPECT_FAILS("completion/shares_state", "same bytes for calls at once", "at once");
}

TEST(Contract, NoticesASchemaThatBreaksItsOwnRules) {
  const std::string check = "schema is sane";
  EXPECT_FAILS("completion/forgets_defaults", check,
               "'radius' = 9 is not allowed; expected [1, 8]");
  EXPECT_NE(
      verdict("completion/forgets_defaults", check).find("'Levels' is not named in snake_case"),
      std::string::npos);
  EXPECT_NE(verdict("completion/forgets_defaults", check).find("'mode' = fast is not allowed"),
            std::string::npos);
  EXPECT_NE(verdict("completion/forgets_defaults", check).find("'share' has no help"),
            std::string::npos);
}

TEST(Contract, APluginThatNeedsAParameterIsSkippedWithTheReason) {
  EXPECT_EQ(verdict("completion/needs_a_file", "behaviour"),
            "skipped: parameter 'weights' has no default");
  EXPECT_EQ(failed("completion/needs_a_file"), Names{});
}

TEST(Contract, NoticesShapesAndValuesThatAreNotWhatTheStageGives) {
  EXPECT_FAILS("warping/wrong_shape", kResult,
               "the warped clip is [7, 48, 64, 3]; expected [6, 48, 64, 3]");
  EXPECT_FAILS("warping/depth_without_number", kResult, "depth at [0, 0, 0]");
  EXPECT_FAILS("metric/scores_nan", kResult, "psnr = nan");
  EXPECT_FAILS("annotation/repaints", kResult, "the frames have changed");
  EXPECT_FAILS("backbone/predicts_infinity", kResult, "not finite");
  EXPECT_FAILS("encoding/loses_first_frame", kResult, "frame 0 of decode(encode(x)) is off");
  EXPECT_FAILS("source/source_with_slashes", kResult, "name(0) = 'a/b'");
}

TEST(Contract, NoticesSamplesThatDependOnTheirNumber) {
  EXPECT_FAILS("sampling/counts_samples", "sample k does not depend on K",
               "sample 0 of 1 differs from sample 0 of 3");
}

TEST(Contract, NoticesFilesLeftBehind) {
  EXPECT_FAILS("output/leaves_temporary", kResult, "2 files were written");
}

TEST(Contract, APluginThatEndsTheProcessIsAFinding) {
  EXPECT_FAILS("extraction/exits", kResult, "exit code 5");
}

TEST(Contract, ALibraryThatCannotBeOpenedIsAFinding) {
  const TemporaryFolder folder;
  write_file(folder.path() / "text.so", "not a library");
  const auto results = check_contract(folder.path() / "text.so");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].plugin, "text.so");
  EXPECT_FALSE(results[0].passed || results[0].skipped);
}

}  // namespace
}  // namespace momap
