// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/stage/torch_threads.h>
#include <momap/train/peers.h>
#include <momap/train/trainer.h>
#include <tbb/parallel_for.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <cmath>
#include <filesystem>

#include "optimizer.h"
#include "settings_text.h"
#include "slots.h"

namespace momap {
namespace {

using Clock = std::chrono::steady_clock;

// Lets the parameters record gradients for as long as it lives.
class Recording {
 public:
  explicit Recording(Optimizer::NamedTensors parameters) : parameters_(std::move(parameters)) {
    for (const auto& [name, tensor] : parameters_) tensor.set_requires_grad(true);
  }
  ~Recording() {
    for (const auto& [name, tensor] : parameters_) tensor.set_requires_grad(false);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  Optimizer::NamedTensors parameters_;
};

struct Step {
  double loss = 0;
  std::vector<at::Tensor> gradients;
};

// Loss and gradient of `slots`, a share of a batch of so many. Micro-batches run side by side, each
// on one thread, and are summed in their order.
Step differentiate(const Lesson& lesson, const std::vector<at::Tensor>& parameters,
                   const TrainOptions& options, const TrainCallbacks& callbacks,
                   const std::vector<Slot>& slots) {
  const auto count = static_cast<int64_t>(slots.size());
  const int64_t parts = (count + options.micro_batch - 1) / options.micro_batch;
  std::vector<Step> part(static_cast<size_t>(parts));
  tbb::parallel_for(
      tbb::blocked_range<int64_t>(0, parts, 1),
      [&](const tbb::blocked_range<int64_t>& range) {
        keep_torch_on_this_thread();
        for (int64_t i = range.begin(); i < range.end(); ++i) {
          const auto begin = slots.begin() + i * options.micro_batch;
          const auto end = slots.begin() + std::min(count, (i + 1) * options.micro_batch);
          at::Tensor loss = lesson.loss({begin, end}, callbacks.skip);
          if (!loss.defined()) continue;
          loss = loss / static_cast<double>(options.batch);
          part[i].loss = loss.item<double>();
          part[i].gradients = torch::autograd::grad({loss}, parameters, {}, false, false, true);
        }
      },
      tbb::simple_partitioner());

  Step sum;
  for (const at::Tensor& parameter : parameters)
    sum.gradients.push_back(at::zeros(parameter.sizes(), at::kFloat));
  for (const Step& one : part) {
    sum.loss += one.loss;
    for (size_t i = 0; i < one.gradients.size(); ++i) {
      if (one.gradients[i].defined()) sum.gradients[i].add_(one.gradients[i]);
    }
  }
  return sum;
}

// What must be the same for a resumed run to go on as if it had not stopped.
std::string identity_of(const Lesson& lesson, const TrainOptions& options, uint64_t seed) {
  const std::string own = lesson.settings();
  return fmt::format("seed: {}, items: {}, {}{}{}", seed, lesson.size(), settings_text(options),
                     own.empty() ? "" : ", ", own);
}

class Training {
 public:
  Training(const Lesson& lesson, const TrainOptions& options, uint64_t seed,
           const TrainFiles& files, const TrainCallbacks& callbacks, Peers* peers)
      : lesson_(lesson),
        options_(options),
        seed_(seed),
        files_(files),
        callbacks_(callbacks),
        peers_(peers),
        identity_(identity_of(lesson, options, seed)),
        optimizer_(lesson.parameters()) {}

  TrainResult run();

 private:
  bool leads() const { return !peers_ || peers_->rank() == 0; }
  void save() {
    saved_ = step_;
    if (!leads()) return;
    lesson_.save(files_.checkpoint, optimizer_.averaged(), files_.card);
    optimizer_.save(files_.state, step_, identity_);
    if (callbacks_.saved) callbacks_.saved(step_, step_ == options_.steps);
  }
  std::vector<Slot> own_slots() const;
  void begin_together();
  bool share(Step& step, bool stop);
  void stop_unless_finite(double value, const char* what) const;
  void report(double learning_rate);

  const Lesson& lesson_;
  const TrainOptions& options_;
  uint64_t seed_;
  const TrainFiles& files_;
  const TrainCallbacks& callbacks_;
  Peers* peers_;
  std::string identity_;
  Optimizer optimizer_;
  int64_t step_ = 0;
  int64_t saved_ = 0;
  int64_t reported_ = 0;
  double loss_sum_ = 0;
  double loss_ = 0;
  Clock::time_point last_report_ = Clock::now();
};

void Training::stop_unless_finite(double value, const char* what) const {
  if (std::isfinite(value)) return;
  const std::string last = saved_ > 0 ? fmt::format("the last good checkpoint is {} (step {})",
                                                    shown(files_.checkpoint), saved_)
                                      : std::string("there is no checkpoint yet");
  throw ConfigError(fmt::format(
      "training: the {} is {} at step {}; {}. Lower 'learning_rate' = {} or raise 'warmup' = {}",
      what, value, step_ + 1, last, options_.learning_rate, options_.warmup));
}

void Training::report(double learning_rate) {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - last_report_).count();
  const auto steps = static_cast<double>(step_ - reported_);
  loss_ = loss_sum_ / steps;
  if (callbacks_.progress) {
    callbacks_.progress({step_, options_.steps, loss_, learning_rate,
                         steps * static_cast<double>(options_.batch) / seconds});
  }
  last_report_ = now;
  reported_ = step_;
  loss_sum_ = 0;
}

// This process's part of the step's batch.
std::vector<Slot> Training::own_slots() const {
  const auto all = slots_of_step(seed_, step_, options_.batch, lesson_.size());
  if (!peers_) return all;
  const int64_t rank = peers_->rank(), count = peers_->count();
  return {all.begin() + rank * options_.batch / count,
          all.begin() + (rank + 1) * options_.batch / count};
}

// All must go on from the same step, and none may begin before all have read where that is.
void Training::begin_together() {
  if (!peers_) return;
  if (options_.batch < peers_->count()) {
    throw ConfigError(
        fmt::format("training: 'batch' = {} is less than the {} processes that share it; raise it",
                    options_.batch, peers_->count()));
  }
  const at::Tensor steps = at::full({1}, static_cast<float>(step_));
  peers_->sum({steps});
  const double mean = steps.item<double>() / peers_->count();
  if (mean == static_cast<double>(static_cast<float>(step_))) return;
  throw ConfigError(fmt::format(
      "training: rank {} would go on from step {}, others from elsewhere; all must see the same "
      "folder, where {} is",
      peers_->rank(), step_, shown(files_.state)));
}

// Sums over the processes; whether any of them was told to stop.
bool Training::share(Step& step, bool stop) {
  if (!peers_) return stop;
  const at::Tensor loss = at::full({1}, step.loss, at::kFloat);
  const at::Tensor stops = at::full({1}, stop ? 1.0f : 0.0f);
  std::vector<at::Tensor> all = step.gradients;
  all.insert(all.end(), {loss, stops});
  try {
    peers_->sum(all);
  } catch (const ConfigError& error) {
    if (step_ > saved_) save();
    throw ConfigError(fmt::format(
        "training: {}; it stops after step {}, and {} holds what was done: start all again to go "
        "on",
        error.what(), step_, shown(files_.state)));
  }
  step.loss = loss.item<double>();
  return stops.item<double>() > 0;
}

TrainResult Training::run() {
  if (std::filesystem::exists(files_.state)) step_ = optimizer_.load(files_.state, identity_);
  const int64_t resumed = step_;
  saved_ = reported_ = step_;
  begin_together();
  {
    const Recording recording(lesson_.parameters());
    std::vector<at::Tensor> parameters;
    for (const auto& [name, tensor] : lesson_.parameters()) parameters.push_back(tensor);
    while (step_ < options_.steps) {
      // Others may wait for this step: where there are any, it is worked out before all stop.
      const bool stop = callbacks_.cancelled && (*callbacks_.cancelled)();
      Step step;
      if (peers_ || !stop)
        step = differentiate(lesson_, parameters, options_, callbacks_, own_slots());
      if (share(step, stop)) {
        if (step_ > saved_) save();
        throw Cancelled();
      }
      stop_unless_finite(step.loss, "loss");
      stop_unless_finite(optimizer_.update(step.gradients, options_, step_), "gradient");
      const double rate = Optimizer::learning_rate(options_, step_);
      ++step_;
      loss_sum_ += step.loss;
      if (step_ % options_.report_every == 0 || step_ == options_.steps) report(rate);
      if (step_ % options_.save_every == 0 || step_ == options_.steps) save();
    }
  }
  optimizer_.use_averaged();
  return {step_, resumed, loss_};
}

}  // namespace

TrainResult train(const Lesson& lesson, const TrainOptions& options, uint64_t seed,
                  const TrainFiles& files, const TrainCallbacks& callbacks, Peers* peers) {
  if (lesson.parameters().empty()) {
    throw ConfigError(
        "training: there is nothing to learn; name a step that has, for example backbone/unet");
  }
  if (lesson.size() < 1)
    throw ConfigError("training: the training set is empty; check the source and its filters");
  return Training(lesson, options, seed, files, callbacks, peers).run();
}

}  // namespace momap
