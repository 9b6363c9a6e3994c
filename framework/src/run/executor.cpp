// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/run/crash.h>
#include <momap/run/executor.h>
#include <momap/run/process.h>
#include <momap/stage/metric.h>
#include <momap/stage/torch_threads.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "invoke.h"
#include "step_objects.h"
#include "token.h"

namespace momap {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kPassedOver = -1;  // index of a result that is none

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The state of one run. Everything below `mutex_` is guarded by it; plugins are called without it.
//
// Steps are oneTBB tasks; which may start next is decided here rather than by tbb::flow nodes,
// because a flow node that waits for the whole machine would hold a worker that the running step
// could use.
class Run {
 public:
  Run(const Graph& graph, const RunOptions& options)
      : graph_(graph),
        options_(options),
        threads_(std::max(1, options.threads)),
        in_flight_limit_(options.in_flight > 0 ? options.in_flight : threads_ + 1),
        memory_limit_(options.memory_budget_bytes > 0
                          ? static_cast<int64_t>(options.memory_budget_bytes)
                          : machine_memory_bytes() / 4 * 3),
        objects_(graph),
        arena_(threads_, 0),
        running_steps_(graph.steps.size(), 0),
        awaited_(graph.steps.size()),
        figures_(graph.steps.size()),
        pools_(graph.steps.size()) {
    for (size_t s = 0; s < graph.steps.size(); ++s) {
      figures_[s].step = graph.steps[s].name;
      figures_[s].plugin = graph.steps[s].plugin.id;
      if (graph.steps[s].plugin.stage() == "metric") {
        pools_[s] = static_cast<Metric*>(objects_.object(s))->pool();
      }
    }
    total_ = objects_.sample_count();
    if (options.samples > 0) total_ = std::min(total_, options.samples);
  }

  RunSummary run() {
    const auto start = Clock::now();
    std::unique_lock lock(mutex_);
    try {
      work_off(lock, start);
    } catch (...) {  // of the caller's functions; the steps in work still need this object
      if (!lock.owns_lock()) lock.lock();
      stop_with(std::current_exception());
      changed_.wait(lock, [this] { return running_ == 0; });
    }
    if (fault_) std::rethrow_exception(fault_);
    RunSummary summary;
    summary.samples = total_ - passed_over_;
    summary.done = done_;
    summary.failed = failed_;
    summary.cancelled = cancelled_;
    summary.seconds = seconds_since(start);
    summary.peak_resident_bytes = peak_resident_bytes();
    summary.steps = figures_;
    for (size_t s = 0; s < pools_.size(); ++s) {
      if (!pools_[s]) continue;
      summary.pooled.push_back({graph_.steps[s].name, pools_[s]->total()});
      check(summary.pooled.back().score, graph_.steps[s].plugin.id);
    }
    return summary;
  }

 private:
  void work_off(std::unique_lock<std::mutex>& lock, Clock::time_point start) {
    auto last_shown = start;
    pump();
    while (!finished()) {
      changed_.wait_for(lock, std::chrono::milliseconds(100));
      if (options_.cancelled && options_.cancelled()) stopping_ = cancelled_ = true;
      deliver(lock);
      pump();
      if (options_.progress && seconds_since(last_shown) > 0.5) {
        last_shown = Clock::now();
        options_.progress(
            {done_, total_ - passed_over_, failed_, resident_bytes(), seconds_since(start)});
      }
    }
  }

  bool finished() const {
    return running_ == 0 && finished_.empty() &&
           (stopping_ || (next_ >= total_ && tokens_.empty()));
  }

  // Begins samples and starts what may run.
  void pump() {
    while (may_admit()) admit();
    if (stopping_) return;
    for (auto it = ready_.begin(); it != ready_.end() && running_ < threads_ && !exclusive_;) {
      const auto [index, step] = *it;
      Token& token = *tokens_.at(index);
      const bool computes = token.computes(step);
      const Concurrency concurrency = graph_.steps[step].plugin.concurrency;
      if (computes && concurrency == Concurrency::whole_machine && running_ > 0) return;
      if (computes && concurrency == Concurrency::serial &&
          (running_steps_[step] > 0 || *awaited_[step].begin() != index)) {
        ++it;
        continue;
      }
      it = ready_.erase(it);
      start(token, step);
    }
  }

  bool may_admit() const {
    if (stopping_ || next_ >= total_) return false;
    const auto in_flight = static_cast<int>(tokens_.size() + finished_.size());
    if (in_flight == 0) return true;
    return in_flight < in_flight_limit_ && resident_bytes() < memory_limit_;
  }

  void admit() {
    const int64_t index = next_++;
    Token& added = *(tokens_[index] = std::make_unique<Token>(graph_, options_, index));
    try {
      added.result.name = objects_.sample_name(added.index);
      if (options_.wanted && !options_.wanted(added.index, added.result.name)) {
        pass_over(added.index);
        return;
      }
      if (options_.cache) {
        for (const auto& identity : objects_.identities(added.index))
          added.keys.push_back(identity.key());
      }
      plan(added);
    } catch (const DataError& e) {
      fail(added, 0, e.what());
      end_if_over(added);
    } catch (...) {
      stop_with(std::current_exception());
    }
  }

  void pass_over(int64_t index) {
    SampleResult nothing;
    nothing.index = kPassedOver;
    finished_[index] = std::move(nothing);
    tokens_.erase(index);
    ++passed_over_;
  }

  void plan(Token& token) {
    for (const size_t s : token.plan()) {
      if (graph_.steps[s].plugin.concurrency == Concurrency::serial)
        awaited_[s].insert(token.index);
    }
    queue_ready(token);
    end_if_over(token);
  }

  void queue_ready(Token& token) {
    for (const size_t s : token.take_ready()) ready_.insert({token.index, s});
  }

  void start(Token& token, size_t step) {
    ++running_;
    ++running_steps_[step];
    ++token.in_work;
    const bool computes = token.computes(step);
    exclusive_ = computes && graph_.steps[step].plugin.concurrency == Concurrency::whole_machine;
    arena_.enqueue([this, &token, step, computes] { work(token, step, computes); });
  }

  Call call_for(const Token& token, size_t s) const {
    const Step& step = graph_.steps[s];
    Call call;
    call.step = &step;
    call.object = objects_.object(s);
    call.backbone = objects_.backbone_for(s);
    call.sample_index =
        step.plugin.stage() == "source" ? objects_.index_in(s, token.index) : token.index;
    call.stem = options_.folder / step.name / token.result.name;
    for (const auto& input : step.inputs) {
      auto& producers = call.in.emplace_back();
      for (const size_t from : input.from) {
        if (graph_.steps[from].output() != Kind::backbone) producers.push_back(&token.output(from));
      }
    }
    return call;
  }

  CallResult computed_step(const Token& token, size_t s) const {
    const Step& step = graph_.steps[s];
    const bool alone = step.plugin.concurrency == Concurrency::whole_machine;
    Context context;
    context.sample = token.result.name;
    context.seed = step.plugin.uses_seed ? derived_seed(step.seed, token.result.name) : 0;
    context.threads = alone ? threads_ : 1;
    context.cancelled = options_.cancelled ? &options_.cancelled : nullptr;
    keep_torch_on_this_thread();
    const auto all_threads = alone ? std::make_unique<TorchThreads>(threads_) : nullptr;
    CallResult result;
    tbb::this_task_arena::isolate([&] { result = invoke(call_for(token, s), context); });
    return result;
  }

  // Runs in a oneTBB task, without the lock: the step's inputs stay until it has finished.
  void work(Token& token, size_t s, bool computes) {
    const auto start = Clock::now();
    const Step& step = graph_.steps[s];
    CallResult result;
    bool computed = false;
    bool lost = false;
    std::string bad_data;
    std::exception_ptr fault;
    try {
      const CrashNote note(fmt::format("step '{}' ({}, {}) on sample '{}'", step.name,
                                       step.plugin.id, step.plugin.library.string(),
                                       token.result.name));
      // Others may be computing the same entry at this moment, in this process or another.
      std::optional<Cache::Claim> claim;
      if (computes && token.cacheable(s)) claim.emplace(options_.cache->claim(token.keys[s]));
      const bool there = claim && options_.cache->contains(token.keys[s]);
      std::optional<Data> loaded;
      if (!computes || there) loaded = options_.cache->load(token.keys[s]);
      if (loaded) {
        result.data = std::move(*loaded);
      } else if (computes) {
        result = computed_step(token, s);
        computed = true;
        if (token.cacheable(s)) options_.cache->store(token.keys[s], result.data);
      } else {
        lost = true;
      }
    } catch (const DataError& e) {
      bad_data = *e.what() ? e.what() : "no reason given";
    } catch (const Cancelled&) {
      const std::lock_guard lock(mutex_);
      stopping_ = cancelled_ = true;
    } catch (const ConfigError& e) {
      fault = std::make_exception_ptr(ConfigError(in_step(step, token) + e.what()));
    } catch (const std::exception& e) {
      fault = std::make_exception_ptr(std::runtime_error(
          fmt::format("{}{} (this is a bug of the plugin)", in_step(step, token), e.what())));
    } catch (...) {
      fault = std::make_exception_ptr(std::runtime_error(
          in_step(step, token) +
          "threw something that is no std::exception (this is a bug of the plugin)"));
    }

    const std::lock_guard lock(mutex_);
    --running_;
    --running_steps_[s];
    --token.in_work;
    exclusive_ = false;
    if (fault) stop_with(fault);
    if (!bad_data.empty()) fail(token, s, bad_data);
    if (lost) {
      token.forget(s);
      plan(token);
    } else if (!fault && bad_data.empty() && !cancelled_) {
      finish_step(token, s, std::move(result), computed, seconds_since(start));
    }
    end_if_over(token);
    pump();
    changed_.notify_one();
  }

  static std::string in_step(const Step& step, const Token& token) {
    return fmt::format("step '{}' ({} v{}), sample '{}': ", step.name, step.plugin.id,
                       step.plugin.version, token.result.name);
  }

  void finish_step(Token& token, size_t s, CallResult result, bool computed, double seconds) {
    StepFigures& figures = figures_[s];
    int64_t bytes = 0;
    for (const auto& datum : result.data) bytes += bytes_of(datum);
    figures.largest_output_bytes = std::max(figures.largest_output_bytes, bytes);
    figures.seconds += seconds;
    if (computed && figures.calls == 0) figures.first_seconds = seconds;
    ++(computed ? figures.calls : figures.from_cache);
    for (size_t k = 0; k < result.data.size(); ++k) {
      if (const auto* score = std::get_if<Score>(&result.data[k])) {
        token.result.scores.push_back({s, k, *score});
      }
    }
    for (auto& file : result.files) token.result.files.push_back(std::move(file));
    if (token.computes(s)) awaited_[s].erase(token.index);
    token.finish(s, std::move(result.data));
    queue_ready(token);
  }

  void fail(Token& token, size_t step, const std::string& reason) {
    if (token.failed()) return;
    token.fail(step, reason);
    std::erase_if(ready_, [&](const auto& entry) { return entry.first == token.index; });
    for (auto& waiting : awaited_) waiting.erase(token.index);
    if (!options_.keep_going) stopping_ = true;
  }

  void stop_with(std::exception_ptr fault) {
    if (!fault_) fault_ = std::move(fault);
    stopping_ = true;
  }

  void end_if_over(Token& token) {
    if (token.in_work > 0 || !token.over()) return;
    if (!token.failed()) token.keep_outputs();
    ++(token.failed() ? failed_ : done_);
    const int64_t index = token.index;
    std::ranges::sort(token.result.scores, {},
                      [](const auto& score) { return std::pair(score.step, score.k); });
    std::ranges::sort(token.result.files);
    finished_[index] = std::move(token.result);
    tokens_.erase(index);
  }

  // Hands finished samples over in order, outside the lock.
  void deliver(std::unique_lock<std::mutex>& lock) {
    while (!finished_.empty()) {
      auto first = finished_.begin();
      const bool gap = first->first != delivered_;
      if (gap && !(stopping_ && running_ == 0)) return;
      SampleResult result = std::move(first->second);
      delivered_ = first->first + 1;
      finished_.erase(first);
      if (result.index == kPassedOver) {
        pump();
        continue;
      }
      lock.unlock();
      const std::exception_ptr fault = pool(result);
      if (options_.on_sample) options_.on_sample(std::move(result));
      lock.lock();
      if (fault) stop_with(fault);
      pump();
    }
  }

  // Gives the sample's scores to the pools of their metrics; returns what went wrong.
  std::exception_ptr pool(const SampleResult& result) {
    for (const auto& [s, k, score] : result.scores) {
      if (!pools_[s]) continue;
      try {
        pools_[s]->add(score);
      } catch (const DataError& e) {
        return std::make_exception_ptr(DataError(fmt::format(
            "step '{}', sample '{}': {}", graph_.steps[s].name, result.name, e.what())));
      } catch (...) {
        return std::current_exception();
      }
    }
    return nullptr;
  }

  const Graph& graph_;
  const RunOptions& options_;
  const int threads_;
  const int in_flight_limit_;
  const int64_t memory_limit_;
  StepObjects objects_;
  tbb::task_arena arena_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, std::unique_ptr<Token>> tokens_;  // in flight
  std::map<int64_t, SampleResult> finished_;          // waiting to be delivered in order
  std::set<std::pair<int64_t, size_t>> ready_;        // (sample, step): oldest sample first
  std::vector<int> running_steps_;
  std::vector<std::set<int64_t>> awaited_;  // samples a serial step has still to take, in order
  std::vector<StepFigures> figures_;
  std::vector<std::unique_ptr<ScorePool>> pools_;  // by step; touched by the delivering thread only
  std::exception_ptr fault_;
  int64_t total_ = 0;
  int64_t next_ = 0;
  int64_t passed_over_ = 0;
  int64_t delivered_ = 0;
  int64_t done_ = 0;
  int64_t failed_ = 0;
  int running_ = 0;
  bool exclusive_ = false;
  bool stopping_ = false;
  bool cancelled_ = false;
};

}  // namespace

RunSummary run_graph(const Graph& graph, const RunOptions& options) {
  return Run(graph, options).run();
}

}  // namespace momap
