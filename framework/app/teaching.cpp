// SPDX-License-Identifier: Apache-2.0
#include "teaching.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

namespace momap {

const Config* TrainSection::find(const std::string& key) const {
  const auto found = std::ranges::find(left_, key, &Config::Entry::key);
  return found == left_.end() ? nullptr : &found->value;
}

size_t TrainSection::step_named(const std::string& name, const Mark& mark, const std::string& what,
                                Kind kind, const std::string& stage) {
  const int found = graph_.find(name);
  if (found >= 0) {
    const Step& step = graph_.steps[static_cast<size_t>(found)];
    if (step.output() == kind && (stage.empty() || step.plugin.stage() == stage)) {
      return static_cast<size_t>(found);
    }
  }
  problems_.add(mark, fmt::format("train: {} = {} is not a step {}that gives a {}", what,
                                  name.empty() ? "nothing" : printable(name),
                                  stage.empty() ? "" : "of stage " + stage + " ", name_of(kind)));
  return 0;
}

size_t TrainSection::step(const std::string& key, Kind kind, const std::string& stage) {
  const Config* value = find(key);
  const Mark mark = value ? value->mark() : mark_;
  const std::string name = !value ? "" : value->is_scalar() ? value->text() : value->describe();
  drop(key);
  return step_named(name, mark, "'" + key + "'", kind, stage);
}

std::optional<size_t> TrainSection::optional_step(const std::string& key, Kind kind,
                                                  const std::string& stage) {
  if (find(key)) return step(key, kind, stage);
  known_.push_back(key);
  return std::nullopt;
}

std::vector<std::pair<size_t, size_t>> TrainSection::step_pairs(const std::string& key, Kind from,
                                                                Kind to) {
  const Config* value = find(key);
  std::vector<std::pair<size_t, size_t>> pairs;
  if (!value || !value->is_map() || value->entries().empty()) {
    problems_.add(value ? value->mark() : mark_,
                  fmt::format("train: '{}' = {} does not map steps to steps", key,
                              value ? printable(value->describe()) : "nothing"),
                  fmt::format("for example  {}: {{a_{}: a_{}}}", key, name_of(from), name_of(to)));
    drop(key);
    return pairs;
  }
  for (const auto& entry : value->entries()) {
    const std::string name = entry.value.is_scalar() ? entry.value.text() : entry.value.describe();
    pairs.emplace_back(step_named(entry.key, entry.value.mark(), "key of '" + key + "'", from),
                       step_named(name, entry.value.mark(), "value in '" + key + "'", to));
  }
  drop(key);
  return pairs;
}

void TrainSection::drop(const std::string& key) {
  known_.push_back(key);
  std::erase_if(left_, [&](const auto& entry) { return entry.key == key; });
}

void TrainSection::expect_nothing_left() {
  for (const auto& entry : left_) {
    problems_.add(entry.key_mark, fmt::format("train: no parameter '{}'{}", printable(entry.key),
                                              suggestion(entry.key, known_)));
  }
}

Config TrainSection::take(const ParamSchema& schema) {
  for (const ParamInfo& info : schema) known_.push_back(info.name);
  std::vector<Config::Entry> own, rest;
  for (const auto& entry : left_) {
    (std::ranges::count(schema, entry.key, &ParamInfo::name) > 0 ? own : rest).push_back(entry);
  }
  left_ = std::move(rest);
  return Config::map(std::move(own), mark_);
}

}  // namespace momap
