// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/data/archive.h>
#include <momap/graph/graph.h>
#include <momap/graph/yaml.h>
#include <momap/plugin/loader.h>
#include <momap/run/executor.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <regex>
#include <thread>

namespace momap {
namespace {

namespace fs = std::filesystem;

const Catalog& catalog() {
  static const Catalog kCatalog = Catalog::read({MOMAP_PROBES_FOLDER}, describe_in_children);
  return kCatalog;
}

Graph graph_of(const std::string& yaml) {
  return check_graph(parse_yaml(yaml, "g.yaml"), "g.yaml", catalog());
}

std::string chain(int samples, const std::string& middle, const std::string& with = "{}") {
  return "steps:\n  a: {use: source/probe, with: {samples: " + std::to_string(samples) +
         "}}\n  b: {use: annotation/" + middle + ", in: a, with: " + with +
         "}\n  s: {use: metric/probe_mean, in: {result: b}}\n";
}

int number_in(const std::string& caption, const std::string& key) {
  std::smatch match;
  return std::regex_search(caption, match, std::regex(key + "=(\\d+)")) ? std::stoi(match[1]) : -1;
}

struct Outcome {
  RunSummary summary;
  std::vector<SampleResult> results;
  std::vector<std::string> captions;  // of the kept step
};

Outcome run(const Graph& graph, RunOptions options, const std::string& keep = "") {
  Outcome outcome;
  if (!keep.empty()) options.keep = {static_cast<size_t>(graph.find(keep))};
  options.on_sample = [&](SampleResult result) {
    if (!result.kept.empty())
      outcome.captions.push_back(std::get<Clip>(result.kept[0].second[0]).caption);
    outcome.results.push_back(std::move(result));
  };
  outcome.summary = run_graph(graph, options);
  return outcome;
}

RunOptions threads(int n) {
  RunOptions options;
  options.threads = n;
  return options;
}

TEST(Executor, DeliversSamplesInOrderWithTheirScores) {
  const auto outcome = run(graph_of(chain(20, "probe_pass", "{sleep_ms: 1}")), threads(4));
  ASSERT_EQ(outcome.results.size(), 20u);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(outcome.results[i].name, fmt::format("s{}", i));
    EXPECT_EQ(outcome.results[i].scores.at(0).score.values.at(0).value, i);
  }
  EXPECT_EQ(outcome.summary.done, 20);
}

std::string pooled_chain(int samples) {
  return "steps:\n  a: {use: source/probe, with: {samples: " + std::to_string(samples) +
         "}}\n  s: {use: metric/probe_mean, in: {result: a}, with: {mode: pool}}\n";
}

TEST(Executor, PoolsScoresInSampleOrderFreshOrFromTheCache) {
  const TemporaryFolder folder("momap-pool");
  Cache cache(folder.path(), 1 << 20);
  RunOptions options = threads(4);
  options.cache = &cache;
  for (const int64_t from_cache : {0, 9}) {
    const auto outcome = run(graph_of(pooled_chain(9)), options);
    EXPECT_EQ(outcome.summary.steps[1].from_cache, from_cache);
    ASSERT_EQ(outcome.summary.pooled.size(), 1u);
    EXPECT_EQ(outcome.summary.pooled[0].step, "s");
    const auto& values = outcome.summary.pooled[0].score.values;
    EXPECT_EQ(values.at(0).value, 4.0);  // the mean of 0 to 8
    EXPECT_EQ(values.at(1).value, 8.0);
  }
}

TEST(Executor, SerialPluginsSeeSamplesInOrder) {
  const auto outcome = run(graph_of(chain(40, "probe_serial")), threads(4), "b");
  for (int i = 0; i < 40; ++i) EXPECT_EQ(number_in(outcome.captions[i], "call"), i);
}

TEST(Executor, SerialPluginsSeeSamplesInOrderBehindOthersOfUnevenSpeed) {
  const auto graph = graph_of(R"(steps:
  a: {use: source/probe, with: {samples: 24}}
  p: {use: annotation/probe_pass, in: a, with: {sleep_ms: 2}}
  n: {use: annotation/probe_noise, in: p}
  b: {use: annotation/probe_serial, in: n}
  s: {use: metric/probe_mean, in: {result: b}})");
  const auto outcome = run(graph, threads(4), "b");
  for (int i = 0; i < 24; ++i) EXPECT_EQ(number_in(outcome.captions[i], "call"), i);
}

TEST(Executor, WholeMachinePluginsRunAloneWithAllThreads) {
  const auto graph = graph_of(R"(steps:
  a: {use: source/probe, with: {samples: 12}}
  p: {use: annotation/probe_pass, in: a, with: {sleep_ms: 1}}
  b: {use: annotation/probe_alone, in: p}
  s: {use: metric/probe_mean, in: {result: b}})");
  const auto outcome = run(graph, threads(3), "b");
  ASSERT_EQ(outcome.captions.size(), 12u);
  for (const auto& caption : outcome.captions) {
    EXPECT_EQ(number_in(caption, "others"), 0);
    EXPECT_EQ(number_in(caption, "threads"), 3);
  }
}

TEST(Executor, SamplesInFlightAreBounded) {
  auto options = threads(4);
  options.in_flight = 2;
  const auto outcome = run(graph_of(chain(30, "probe_pass", "{sleep_ms: 1}")), options, "b");
  for (const auto& caption : outcome.captions) EXPECT_LE(number_in(caption, "alive"), 2);
}

TEST(Executor, MemoryBudgetHoldsSamplesBack) {
  auto options = threads(4);
  options.memory_budget_bytes = 1;  // always exceeded: one sample at a time, but the run goes on
  const auto outcome = run(graph_of(chain(10, "probe_pass", "{sleep_ms: 1}")), options, "b");
  ASSERT_EQ(outcome.captions.size(), 10u);
  for (const auto& caption : outcome.captions) EXPECT_EQ(number_in(caption, "alive"), 1);
}

TEST(Executor, ResultsAreTheSameBytesForAnyNumberOfThreads) {
  const auto graph = graph_of(chain(9, "probe_noise"));
  const auto bytes = [&](int n) {
    std::string all;
    auto options = threads(n);
    options.keep = {static_cast<size_t>(graph.find("b"))};
    options.on_sample = [&](const SampleResult& result) {
      const auto frames = std::get<Clip>(result.kept[0].second[0]).frames.contiguous();
      all.append(static_cast<const char*>(frames.data_ptr()), frames.nbytes());
    };
    run_graph(graph, options);
    return all;
  };
  const auto one = bytes(1);
  EXPECT_EQ(one.size(), 9u * 2 * 4 * 6 * 3);
  EXPECT_EQ(one, bytes(2));
  EXPECT_EQ(one, bytes(8));
}

TEST(Executor, DataErrorStopsTheRunByDefault) {
  const auto outcome = run(graph_of(chain(50, "probe_pass", "{fail_on: [3]}")), threads(2));
  EXPECT_EQ(outcome.summary.failed, 1);
  EXPECT_LT(outcome.summary.done, 50);
  const auto failed =
      std::ranges::find_if(outcome.results, [](const auto& r) { return !r.failure.empty(); });
  ASSERT_NE(failed, outcome.results.end());
  EXPECT_EQ(failed->name, "s3");
  EXPECT_EQ(failed->failed_step, "b");
  EXPECT_NE(failed->failure.find("told to fail"), std::string::npos);
}

TEST(Executor, KeepGoingRecordsFailuresAndFinishesTheRest) {
  auto options = threads(2);
  options.keep_going = true;
  const auto outcome = run(graph_of(chain(50, "probe_pass", "{fail_on: [3, 7, 49]}")), options);
  EXPECT_EQ(outcome.summary.failed, 3);
  EXPECT_EQ(outcome.summary.done, 47);
  EXPECT_EQ(outcome.results.size(), 50u);
}

TEST(Executor, ThrowingPluginEndsTheRunWithStepAndSample) {
  for (const char* how : {"{throw_on: [2]}", "{throw_odd_on: [2]}"}) {
    try {
      run(graph_of(chain(10, "probe_pass", how)), threads(2));
      FAIL() << "expected an exception";
    } catch (const std::runtime_error& e) {
      const std::string text = e.what();
      EXPECT_NE(text.find("step 'b' (annotation/probe_pass v1), sample 's2'"), std::string::npos)
          << text;
      EXPECT_NE(text.find("bug of the plugin"), std::string::npos);
    }
  }
}

TEST(Executor, CancellingStopsSoonAndKeepsWhatIsDone) {
  std::atomic<bool> stop{false};
  auto options = threads(2);
  options.cancelled = [&] { return stop.load(); };
  int seen = 0;
  options.on_sample = [&](const SampleResult&) { stop = ++seen >= 3; };
  const auto summary = run_graph(graph_of(chain(1000, "probe_pass", "{sleep_ms: 5}")), options);
  EXPECT_TRUE(summary.cancelled);
  EXPECT_GE(summary.done, 3);
  EXPECT_LT(summary.done, 20);
}

// Steps of a run that has ended would still ask `cancelled`, each once a millisecond.
class ThrowingCaller : public ::testing::Test {
 protected:
  ThrowingCaller() {
    options_.cancelled = [this] {
      if (ended_) ++asked_after_the_end_;
      return std::this_thread::get_id() == main_ && poll();
    };
  }

  virtual bool poll() { return false; }
  static void disk_full() { throw ConfigError("the disk is full"); }

  void expect_an_end_after_the_steps_in_work() {
    EXPECT_THROW(run_graph(graph_, options_), ConfigError);
    ended_ = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(asked_after_the_end_, 0);
  }

  const Graph graph_ = graph_of(chain(50, "probe_pass", "{sleep_ms: 30}"));
  RunOptions options_ = threads(4);

 private:
  const std::thread::id main_ = std::this_thread::get_id();
  std::atomic<bool> ended_ = false;
  std::atomic<int> asked_after_the_end_ = 0;
};

TEST_F(ThrowingCaller, OfASampleEndsTheRunAfterTheStepsInWork) {
  int received = 0;
  options_.on_sample = [&](const SampleResult&) {
    if (++received == 2) disk_full();
  };
  expect_an_end_after_the_steps_in_work();
  EXPECT_EQ(received, 2);
}

class ThrowingPoll : public ThrowingCaller {
 protected:
  bool poll() override {
    if (++polls_ == 3) disk_full();
    return false;
  }

 private:
  int polls_ = 0;
};

TEST_F(ThrowingPoll, EndsTheRunAfterTheStepsInWork) { expect_an_end_after_the_steps_in_work(); }

TEST(Executor, EmptySourceIsADataError) {
  EXPECT_THROW(run(graph_of(chain(0, "probe_pass")), threads(1)), DataError);
}

TEST(Executor, SourcesMustAgreeInSize) {
  EXPECT_THROW(run(graph_of(R"(steps:
  a: {use: source/probe, with: {samples: 3}}
  b: {use: source/probe, with: {samples: 5}}
  s: {use: metric/probe_mean, in: {result: a, reference: b}})"),
                   threads(1)),
               ConfigError);
}

class CachedRun : public ::testing::Test {
 protected:
  Outcome run_cached(const std::string& yaml) {
    auto options = threads(2);
    options.cache = &cache_;
    auto graph = graph_of(yaml);
    graph.file = folder_.path() / "g.yaml";
    auto outcome = run(graph, options);
    remember_run(graph, cache_);
    return outcome;
  }

  std::string reason(const std::string& yaml, const std::string& step) {
    auto graph = graph_of(yaml);
    graph.file = folder_.path() / "g.yaml";
    for (const auto& line : explain_graph(graph, cache_)) {
      if (line.step == step) return line.cached ? "cached" : line.reason;
    }
    return "no such step";
  }

  static std::string two_steps(double level, double second = 1) {
    return "steps:\n  a: {use: source/probe}\n  b: {use: annotation/probe_pass, in: a, with: "
           "{level: " +
           std::to_string(level) +
           "}}\n  c: {use: annotation/probe_pass, in: b, with: {level: " + std::to_string(second) +
           "}}\n  s: {use: metric/probe_mean, in: {result: c}}\n";
  }

  // Flips a bit of every entry; returns how many there are.
  int harm_entries() {
    int harmed = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "cache/steps")) {
      if (!entry.is_regular_file()) continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(-1, std::ios::end);
      const char flipped = static_cast<char>(file.peek() ^ 1);
      file.put(flipped);
      ++harmed;
    }
    return harmed;
  }

  TemporaryFolder folder_;
  Cache cache_{folder_.path() / "cache", 1 << 30};
};

TEST_F(CachedRun, SecondRunComputesNothing) {
  const auto first = run_cached(two_steps(1));
  const auto second = run_cached(two_steps(1));
  for (const auto& step : second.summary.steps) EXPECT_EQ(step.calls, 0) << step.step;
  ASSERT_EQ(second.results.size(), 4u);
  EXPECT_EQ(second.results[3].scores.at(0).score.values.at(0).value,
            first.results[3].scores.at(0).score.values.at(0).value);
}

TEST_F(CachedRun, ChangedParameterRecomputesFromThereOn) {
  run_cached(two_steps(1, 1));
  const auto second = run_cached(two_steps(1, 2));
  EXPECT_EQ(second.summary.steps[1].calls, 0);  // b: loaded
  EXPECT_EQ(second.summary.steps[1].from_cache, 4);
  EXPECT_EQ(second.summary.steps[2].calls, 4);  // c: computed
}

TEST_F(CachedRun, RuntimeOnlyParametersDoNotMatter) {
  run_cached(chain(4, "probe_pass", "{sleep_ms: 0}"));
  const auto second = run_cached(chain(4, "probe_pass", "{sleep_ms: 1}"));
  EXPECT_EQ(second.summary.steps[1].calls + second.summary.steps[2].calls, 0);
}

TEST_F(CachedRun, SeedMattersOnlyToPluginsThatUseIt) {
  run_cached("seed: 1\n" + chain(4, "probe_pass"));
  EXPECT_EQ(run_cached("seed: 2\n" + chain(4, "probe_pass")).summary.steps[1].calls, 0);
  run_cached("seed: 1\n" + chain(4, "probe_noise"));
  EXPECT_EQ(run_cached("seed: 2\n" + chain(4, "probe_noise")).summary.steps[1].calls, 4);
}

TEST_F(CachedRun, CorruptEntriesAreDroppedAndRecomputed) {
  run_cached(two_steps(1));
  EXPECT_EQ(harm_entries(), 12);
  const auto second = run_cached(two_steps(1));
  EXPECT_EQ(second.summary.done, 4);
  EXPECT_EQ(second.results[3].scores.at(0).score.values.at(0).value, 3.0);
  EXPECT_EQ(run_cached(two_steps(1)).summary.steps[3].calls, 0);
}

TEST_F(CachedRun, AnEntryLostWhileAnotherStepRunsLeavesThatStepAlone) {
  run_cached(chain(4, "probe_pass"));
  harm_entries();
  const auto second =
      run_cached(chain(4, "probe_pass") +
                 "  c: {use: annotation/probe_pass, in: a, with: {level: 2, sleep_ms: 100}}\n"
                 "  d: {use: annotation/probe_serial, in: c}\n  t: {use: metric/probe_mean, in: "
                 "{result: d}}\n");
  EXPECT_EQ(second.summary.done, 4);
  for (const auto& step : second.summary.steps) {  // a is read again for what was lost
    if (step.step == "a") continue;
    EXPECT_EQ(step.calls, 4) << step.step;
  }
}

TEST_F(CachedRun, TruncatedEntriesAreDroppedAndRecomputed) {
  run_cached(two_steps(1));
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "cache/steps")) {
    if (entry.is_regular_file()) fs::resize_file(entry.path(), entry.file_size() / 2);
  }
  EXPECT_EQ(run_cached(two_steps(1)).summary.done, 4);
}

TEST_F(CachedRun, ExplainsWhyAStepWouldRun) {
  EXPECT_EQ(reason(two_steps(1), "b"), "no earlier run of this graph is known");
  run_cached(two_steps(1));
  EXPECT_EQ(reason(two_steps(1), "b"), "cached");
  EXPECT_NE(reason(two_steps(2), "b").find("parameter 'level' changed: 1 -> 2"), std::string::npos);
  EXPECT_NE(reason(two_steps(2), "c").find("input 'clip' changed"), std::string::npos);
  fs::remove_all(folder_.path() / "cache/steps");
  EXPECT_EQ(reason(two_steps(1), "b"), "its entry is gone from the cache");
}

TEST_F(CachedRun, FolderStaysWithinItsLimit) {
  Cache small(folder_.path() / "small", 20'000);
  auto options = threads(2);
  options.cache = &small;
  run(graph_of(chain(200, "probe_noise")), options);
  uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "small")) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_GT(bytes, 0u);
  EXPECT_LT(bytes, 60'000u);  // headers are not counted when an entry is added
}

TEST_F(CachedRun, FullDiskOnlyCostsTheEntry) {
  Cache impossible("/proc/momap-cache", 1 << 30);
  auto options = threads(2);
  options.cache = &impossible;
  EXPECT_EQ(run(graph_of(chain(4, "probe_pass")), options).summary.done, 4);
  EXPECT_FALSE(impossible.trouble().empty());
}

TEST(Executor, AFailingPoolEndsTheRunAndNamesTheSample) {
  try {
    run(graph_of(pooled_chain(20)), threads(4));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "step 's', sample 's13': 13 does not fit");
  }
}

}  // namespace
}  // namespace momap
