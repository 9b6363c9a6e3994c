// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/stage/backbone.h>
#include <momap/train/denoising.h>

#include <optional>

#include "teaching.h"
#include "training_examples.h"

namespace momap {
namespace {

class DenoisingTeaching final : public Teaching {
 public:
  DenoisingTeaching(const Graph& graph, TrainSection& section)
      : graph_(graph),
        backbone_step_(section.step("backbone", Kind::backbone)),
        latent_(section.step("latent", Kind::latent)),
        condition_(section.step("condition", Kind::clip)),
        example_options_(section.options<ExampleOptions>()),
        options_(section.options<DenoisingOptions>()) {}

  size_t step() const override { return backbone_step_; }

  std::string begin(const std::filesystem::path& folder, const std::function<bool()>& cancelled,
                    const std::function<void(const std::string& why)>& failed) override {
    backbone_ = make_learner<Backbone>(graph_.steps[backbone_step_]);
    const size_t made_from = graph_.steps[latent_].inputs.at(0).from.at(0);
    examples_.emplace(graph_, TrainingExamples::Steps{latent_, made_from, condition_},
                      example_options_, folder, *backbone_, &cancelled);
    const auto measured = examples_->measure(failed);
    backbone_->begin_training(measured.spec, measured.stride, measured.scale);
    lesson_.emplace(*backbone_, *examples_, options_);
    return fmt::format("{} examples, latents {} x stride {}", examples_->size(),
                       graph_.steps[latent_].plugin.id, measured.stride);
  }

  const Lesson& lesson() const override { return *lesson_; }

 private:
  const Graph& graph_;
  size_t backbone_step_, latent_, condition_;
  ExampleOptions example_options_;
  DenoisingOptions options_;
  std::shared_ptr<Backbone> backbone_;
  std::optional<TrainingExamples> examples_;
  std::optional<DenoisingLesson> lesson_;
};

}  // namespace

std::unique_ptr<Teaching> denoising_teaching(const Graph& graph, TrainSection& section) {
  return std::make_unique<DenoisingTeaching>(graph, section);
}

}  // namespace momap
