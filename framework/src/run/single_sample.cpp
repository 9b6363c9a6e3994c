// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/run/crash.h>
#include <momap/run/single_sample.h>
#include <momap/stage/torch_threads.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "invoke.h"
#include "step_objects.h"

namespace momap {
namespace {

bool is_source(const Step& step) { return step.plugin.stage() == "source"; }

// The clip as if its future m were the one that happens. Its frames after frame 0 still show the
// first.
void tell_future(Data& data, int64_t m, const std::string& step) {
  for (Datum& datum : data) {
    auto* clip = std::get_if<Clip>(&datum);
    if (!clip || m == 0) continue;
    if (m >= static_cast<int64_t>(clip->truth.size())) {
      throw DataError(fmt::format(
          "step '{}': the clip has {} true futures, {} are asked for; ask the source for more",
          step, clip->truth.size(), m + 1));
    }
    std::swap(clip->truth[0], clip->truth[static_cast<size_t>(m)]);
    clip->caption = clip->truth[0].caption;
  }
}

}  // namespace

struct SingleSamples::Impl {
  Impl(const Graph& g, std::vector<size_t> w)
      : graph(g), wanted(std::move(w)), objects(g), needed(g.steps.size()), locks(g.steps.size()) {
    for (const size_t step : wanted) needed[step] = true;
    for (size_t s = graph.steps.size(); s-- > 0;) {
      if (!needed[s]) continue;
      for (const auto& input : graph.steps[s].inputs) {
        for (const size_t from : input.from) needed[from] = true;
      }
    }
  }

  Data run(size_t s, int64_t i, const std::string& name, const std::vector<Data>& data,
           const std::function<bool()>* cancelled) {
    const Step& step = graph.steps[s];
    Call call;
    call.step = &step;
    call.object = objects.object(s);
    call.backbone = objects.backbone_for(s);
    call.sample_index = is_source(step) ? objects.index_in(s, i) : i;
    for (const auto& input : step.inputs) {
      auto& producers = call.in.emplace_back();
      for (const size_t from : input.from) {
        if (graph.steps[from].output() != Kind::backbone) producers.push_back(&data[from]);
      }
    }
    Context context;
    context.sample = name;
    context.seed = step.plugin.uses_seed ? derived_seed(step.seed, name) : 0;
    context.cancelled = cancelled;
    const CrashNote note(fmt::format("step '{}' ({}, {}) on sample '{}'", step.name, step.plugin.id,
                                     step.plugin.library.string(), name));
    std::unique_lock<std::mutex> alone(locks[s], std::defer_lock);
    if (step.plugin.concurrency != Concurrency::parallel) alone.lock();
    try {
      // Isolated: a thread that waits inside must not begin another sample, which could want the
      // same lock.
      return tbb::this_task_arena::isolate([&] { return invoke(call, context).data; });
    } catch (const DataError& error) {
      throw DataError(fmt::format("sample '{}', step '{}': {}", name, step.name, error.what()));
    }
  }

  const Graph& graph;
  std::vector<size_t> wanted;
  StepObjects objects;
  std::vector<bool> needed;
  std::deque<std::mutex> locks;  // by step, for those that run one sample at a time
  mutable std::mutex sources;    // their names and fingerprints
};

SingleSamples::SingleSamples(const Graph& graph, std::vector<size_t> wanted)
    : impl_(std::make_unique<Impl>(graph, std::move(wanted))) {}

SingleSamples::~SingleSamples() = default;

int64_t SingleSamples::size() const { return impl_->objects.sample_count(); }

std::string SingleSamples::name(int64_t i) const {
  const std::lock_guard lock(impl_->sources);
  return impl_->objects.sample_name(i);
}

std::string SingleSamples::key(int64_t i) const {
  const std::lock_guard lock(impl_->sources);
  const auto identities = impl_->objects.identities(i);
  std::string all;
  for (const size_t step : impl_->wanted) all += identities[step].key();
  return content_hash(all);
}

std::vector<std::vector<Data>> SingleSamples::compute(
    int64_t i, int64_t futures, const std::function<bool()>* cancelled) const {
  keep_torch_on_this_thread();
  const std::string sample = name(i);
  const auto& steps = impl_->graph.steps;
  const auto computes = [&](size_t s, bool source) {
    return impl_->needed[s] && steps[s].output() != Kind::backbone && is_source(steps[s]) == source;
  };
  std::vector<Data> read(steps.size());
  for (size_t s = 0; s < steps.size(); ++s) {
    if (computes(s, true)) read[s] = impl_->run(s, i, sample, read, cancelled);
  }
  std::vector<std::vector<Data>> out;
  for (int64_t m = 0; m < futures; ++m) {
    std::vector<Data> data = read;
    for (size_t s = 0; s < steps.size(); ++s) {
      if (computes(s, true)) tell_future(data[s], m, steps[s].name);
      if (computes(s, false)) data[s] = impl_->run(s, i, sample, data, cancelled);
    }
    auto& kept = out.emplace_back();
    for (const size_t step : impl_->wanted) kept.push_back(data[step]);
  }
  return out;
}

}  // namespace momap
