// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/stage/completer.h>
#include <momap/train/completing.h>

#include <optional>

#include "hole_examples.h"
#include "teaching.h"

namespace momap {
namespace {

class CompletingTeaching final : public Teaching {
 public:
  CompletingTeaching(const Graph& graph, TrainSection& section)
      : graph_(graph),
        completer_step_(section.step("completer", Kind::clip)),
        pairs_(section.step_pairs("examples", Kind::partial_clip, Kind::clip)) {}

  size_t step() const override { return completer_step_; }

  std::string begin(const std::filesystem::path& folder, const std::function<bool()>& cancelled,
                    const std::function<void(const std::string& why)>&) override {
    completer_ = make_learner<Completer>(graph_.steps[completer_step_]);
    completer_->begin_training();
    examples_.emplace(graph_, pairs_, folder, &cancelled);
    lesson_.emplace(*completer_, *examples_);
    return fmt::format("{} examples of {} kind(s)", examples_->size(), pairs_.size());
  }

  const Lesson& lesson() const override { return *lesson_; }

 private:
  const Graph& graph_;
  size_t completer_step_;
  std::vector<std::pair<size_t, size_t>> pairs_;
  std::shared_ptr<Completer> completer_;
  std::optional<HoleExamples> examples_;
  std::optional<CompletingLesson> lesson_;
};

}  // namespace

std::unique_ptr<Teaching> completing_teaching(const Graph& graph, TrainSection& section) {
  return std::make_unique<CompletingTeaching>(graph, section);
}

}  // namespace momap
