// SPDX-License-Identifier: Apache-2.0
#include "token.h"

#include <algorithm>
#include <utility>

namespace momap {

Token::Token(const Graph& graph, const RunOptions& options, int64_t sample)
    : index(sample),
      graph_(graph),
      options_(options),
      states_(graph.steps.size(), State::idle),
      wanted_(graph.steps.size(), false),
      computed_(graph.steps.size(), false),
      outputs_(graph.steps.size()) {
  result.index = sample;
}

bool Token::cacheable(size_t step) const {
  const Step& s = graph_.steps[step];
  return options_.cache && s.output() != Kind::file && s.plugin.stage() != "source" &&
         std::ranges::count(options_.fresh, step) == 0;
}

bool Token::is_result(size_t step) const {
  const Kind kind = graph_.steps[step].output();
  return kind == Kind::score || kind == Kind::file || std::ranges::count(options_.keep, step) > 0;
}

std::vector<size_t> Token::plan() {
  wanted_.assign(states_.size(), false);
  std::vector<size_t> to_compute;
  for (size_t s = graph_.steps.size(); s-- > 0;) {
    if (graph_.steps[s].output() == Kind::backbone) {
      states_[s] = State::done;
      continue;
    }
    if (is_result(s)) wanted_[s] = true;
    if (!wanted_[s] || states_[s] == State::given_out || states_[s] == State::done) continue;
    states_[s] = State::idle;
    computed_[s] = !(cacheable(s) && options_.cache->contains(keys[s]));
    if (!computed_[s]) continue;
    to_compute.push_back(s);
    for (const auto& input : graph_.steps[s].inputs) {
      for (const size_t from : input.from) wanted_[from] = true;
    }
  }
  return to_compute;
}

std::vector<size_t> Token::take_ready() {
  std::vector<size_t> ready;
  if (failed()) return ready;
  for (size_t s = 0; s < graph_.steps.size(); ++s) {
    if (!wanted_[s] || states_[s] != State::idle) continue;
    const bool inputs_there = std::ranges::all_of(graph_.steps[s].inputs, [&](const auto& input) {
      return std::ranges::all_of(input.from,
                                 [&](size_t from) { return states_[from] == State::done; });
    });
    if (computed_[s] && !inputs_there) continue;
    states_[s] = State::given_out;
    ready.push_back(s);
  }
  return ready;
}

void Token::finish(size_t step, Data output) {
  outputs_[step] = std::move(output);
  states_[step] = State::done;
  if (!computed_[step]) return;
  for (const auto& input : graph_.steps[step].inputs) {
    for (const size_t from : input.from) release_if_unused(from);
  }
}

void Token::release_if_unused(size_t producer) {
  if (is_result(producer) || graph_.steps[producer].output() == Kind::backbone) return;
  for (size_t s = producer + 1; s < graph_.steps.size(); ++s) {
    const bool takes_it = std::ranges::any_of(graph_.steps[s].inputs, [&](const auto& input) {
      return std::ranges::count(input.from, producer) > 0;
    });
    const bool waits =
        wanted_[s] && computed_[s] && (states_[s] == State::idle || states_[s] == State::given_out);
    if (takes_it && waits) return;
  }
  outputs_[producer].clear();
  states_[producer] = State::released;
}

void Token::fail(size_t step, const std::string& reason) {
  result.failed_step = graph_.steps[step].name;
  result.failure = reason;
}

void Token::keep_outputs() {
  for (const size_t s : options_.keep) result.kept.emplace_back(s, std::move(outputs_[s]));
}

bool Token::over() const {
  if (failed()) return true;
  for (size_t s = 0; s < states_.size(); ++s) {
    if (wanted_[s] && states_[s] != State::done && states_[s] != State::released) return false;
  }
  return true;
}

}  // namespace momap
