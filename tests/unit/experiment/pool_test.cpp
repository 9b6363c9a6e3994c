// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/experiment/job.h>
#include <momap/experiment/plan.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace momap {
namespace {

std::vector<Job> jobs(std::initializer_list<const char*> ids) {
  std::vector<Job> out;
  for (const char* id : ids) out.emplace_back().id = id;
  return out;
}

class Pool : public ::testing::Test {
 protected:
  Outcome outcome(const std::string& id) const {
    return JobFolder(folder_.path(), id).outcome().value_or(not_ended());
  }

  // What the jobs do is in their names.
  std::string run(const std::vector<Job>& list, PoolOptions options = {}) {
    return run_jobs(folder_.path(), list, options, [](const Job& job, const auto& attempt) -> int {
      if (job.id == "crash") std::raise(SIGSEGV);
      if (job.id == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
      if (job.id == "throw") throw std::runtime_error("told to throw");
      if (job.id == "leave") std::_Exit(7);
      if (job.id == "eat") {
        std::vector<char> memory(size_t{400} << 20, 1);
        std::this_thread::sleep_for(std::chrono::hours(memory[1]));
      }
      if (job.id == "open") {
        std::vector<int> files;
        while (files.size() < 1000) {
          files.push_back(::dup(0));
          if (files.back() < 0) throw std::runtime_error(std::strerror(errno));
        }
      }
      Outcome outcome;
      outcome.done = true;
      write_outcome(attempt, outcome);
      return 0;
    });
  }

  static Outcome not_ended() {
    Outcome outcome;
    outcome.reason = "none";
    return outcome;
  }

  TemporaryFolder folder_;
};

TEST_F(Pool, CrashesHangsAndThrowsAreOutcomesAndTheOthersGoOn) {
  PoolOptions options;
  options.parallel = 2;
  options.limits.seconds = 0.5;
  EXPECT_EQ(run(jobs({"a", "crash", "hang", "throw", "leave", "b"}), options), "");
  EXPECT_TRUE(outcome("a").done);
  EXPECT_TRUE(outcome("b").done);
  EXPECT_EQ(outcome("crash").exit_code, 128 + SIGSEGV);
  EXPECT_NE(outcome("crash").reason.find("signal 11"), std::string::npos);
  EXPECT_NE(outcome("hang").reason.find("longer than 0.5 s"), std::string::npos);
  EXPECT_NE(outcome("throw").reason.find("told to throw"), std::string::npos);
  EXPECT_EQ(outcome("leave").exit_code, 7);
}

TEST_F(Pool, MemoryAndOpenFilesAreLimited) {
  PoolOptions options;
  options.limits = {.seconds = 20, .memory_gib = 0.3, .open_files = 64};
  run(jobs({"eat", "open", "a"}), options);
  EXPECT_NE(outcome("eat").reason.find("more than 0.3 GiB"), std::string::npos)
      << outcome("eat").reason;
  EXPECT_NE(outcome("open").reason.find("Too many open files"), std::string::npos)
      << outcome("open").reason;
  EXPECT_TRUE(outcome("a").done);
}

TEST_F(Pool, StopsAtTheFirstFailureWhenAsked) {
  PoolOptions options;
  options.stop_at_failure = true;
  EXPECT_EQ(run(jobs({"a", "leave", "b"}), options), "job leave failed");
  EXPECT_EQ(outcome("b").reason, "none");
}

TEST_F(Pool, BeginsNoJobOnceClosed) {
  int begun = 0;
  PoolOptions options;
  options.closed = [&] { return ++begun > 2 ? "enough" : ""; };
  EXPECT_EQ(run(jobs({"a", "b", "c"}), options), "enough");
  EXPECT_TRUE(outcome("b").done);
  EXPECT_EQ(outcome("c").reason, "none");
}

TEST_F(Pool, CtrlCEndsTheChildren) {
  const auto start = std::chrono::steady_clock::now();
  PoolOptions options;
  options.cancelled = [&] {
    return std::chrono::steady_clock::now() - start > std::chrono::milliseconds(200);
  };
  EXPECT_THROW(run(jobs({"hang"}), options), Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_F(Pool, EveryAttemptKeepsItsFolder) {
  run(jobs({"leave"}));
  run(jobs({"leave"}));
  EXPECT_EQ(JobFolder(folder_.path(), "leave").attempts(), 2);
}

TEST(Plan, ComesBackAsItWasWritten) {
  const TemporaryFolder folder;
  Plan plan;
  plan.kind = "sweep";
  plan.overrides = {"x=1"};
  plan.build = "stamp";
  plan.plugins["a/b"] = {3, "/nowhere/b.so", "hash"};
  plan.jobs = {{.id = "0000-aa",
                .settings = {{"k", "[1, 2]"}},
                .seed = 18446744073709551615u,
                .graph = "steps: {}",
                .samples = 4,
                .fresh = {"warp"}}};
  write_plan(folder.path(), plan);
  const Plan back = read_plan(folder.path(), "sweep");
  EXPECT_EQ(back.overrides, plan.overrides);
  EXPECT_EQ(back.plugins, plan.plugins);
  ASSERT_EQ(back.jobs.size(), 1u);
  EXPECT_EQ(back.jobs[0].settings, plan.jobs[0].settings);
  EXPECT_EQ(back.jobs[0].seed, plan.jobs[0].seed);
  EXPECT_EQ(back.jobs[0].fresh, plan.jobs[0].fresh);
  EXPECT_NE(changed_files(back).find("/nowhere/b.so"), std::string::npos);
  EXPECT_THROW(read_plan(folder.path(), "leaderboard"), ConfigError);
  write_file(folder.path() / "plan.json", "{");
  EXPECT_THROW(read_plan(folder.path(), "sweep"), ConfigError);
  EXPECT_THROW(read_plan(folder.path() / "none", "sweep"), ConfigError);
}

}  // namespace
}  // namespace momap
