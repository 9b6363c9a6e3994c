// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/stage/backbone.h>
#include <momap/stage/encoding.h>
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
        latent_(section.step("latent", Kind::latent, "encoding")),
        network_(section.optional_step("perceptual_network", Kind::latent, "encoding")),
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
    lesson_.emplace(*backbone_, *examples_, options_, decoders(measured));
    return fmt::format("{} examples, latents {} x stride {}", examples_->size(),
                       graph_.steps[latent_].plugin.id, measured.stride);
  }

  const Lesson& lesson() const override { return *lesson_; }

 private:
  MotionDecoders decoders(const TrainingExamples::Measured& measured);

  const Graph& graph_;
  size_t backbone_step_, latent_;
  std::optional<size_t> network_;  // of the perceptual loss
  size_t condition_;
  ExampleOptions example_options_;
  DenoisingOptions options_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<Encoding> encoding_, features_;
  std::optional<TrainingExamples> examples_;
  std::optional<DenoisingLesson> lesson_;
};

// Asks now for what training would ask for: what cannot be had is said before it starts.
MotionDecoders DenoisingTeaching::decoders(const TrainingExamples::Measured& measured) {
  if (options_.decoded_l1 <= 0 && options_.perceptual <= 0) return {};
  encoding_ = make_learner<Encoding>(graph_.steps[latent_]);
  features_ = network_ ? make_learner<Encoding>(graph_.steps[*network_]) : encoding_;
  const at::Tensor motion =
      encoding_->motion(at::zeros({1, measured.scale.numel(), 8, 8}), measured.spec);
  if (options_.perceptual > 0 && features_->features(motion).empty()) {
    throw ConfigError(fmt::format(
        "train: 'perceptual' = {} needs an encoding that has a network, and {} has none; name a "
        "step with a trained encoding/vae as 'perceptual_network'",
        options_.perceptual, graph_.steps[network_.value_or(latent_)].plugin.id));
  }
  return {encoding_.get(), features_.get()};
}

}  // namespace

std::unique_ptr<Teaching> denoising_teaching(const Graph& graph, TrainSection& section) {
  return std::make_unique<DenoisingTeaching>(graph, section);
}

}  // namespace momap
