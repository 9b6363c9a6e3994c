// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/stage/encoding.h>

#include <optional>

#include "map_examples.h"
#include "teaching.h"

namespace momap {
namespace {

class EncodingTeaching final : public Teaching {
 public:
  EncodingTeaching(const Graph& graph, TrainSection& section)
      : graph_(graph),
        encoding_step_(section.step("encoding", Kind::latent)),
        condition_(section.step("condition", Kind::clip)),
        options_(section.options<MapExampleOptions>()) {}

  size_t step() const override { return encoding_step_; }

  std::string begin(const std::filesystem::path&, const std::function<bool()>& cancelled,
                    const std::function<void(const std::string& why)>& failed) override {
    const Step& step = graph_.steps[encoding_step_];
    encoding_ = make_learner<Encoding>(step);
    examples_.emplace(graph_, step.inputs.at(0).from.at(0), condition_, options_, &cancelled);
    examples_->measure([&](const MoMap& momap) { encoding_->measure(momap); }, failed);
    encoding_->begin_training();
    lesson_.emplace(*encoding_, *examples_);
    return fmt::format("{} motion maps", examples_->size());
  }

  const Lesson& lesson() const override { return *lesson_; }
  bool has_learned() const override { return lesson_->parameters().empty(); }

 private:
  const Graph& graph_;
  size_t encoding_step_, condition_;
  MapExampleOptions options_;
  std::shared_ptr<Encoding> encoding_;
  std::optional<MapExamples> examples_;
  std::optional<EncodingLesson> lesson_;
};

}  // namespace

std::unique_ptr<Teaching> encoding_teaching(const Graph& graph, TrainSection& section) {
  return std::make_unique<EncodingTeaching>(graph, section);
}

}  // namespace momap
