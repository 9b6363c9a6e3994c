// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/run/single_sample.h>
#include <momap/store/example_file.h>
#include <momap/train/denoising.h>

#include <array>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "map_examples.h"

namespace momap {

/// The part of a recipe's `train:` section that says what the examples of a denoiser are.
struct ExampleOptions : MapExampleOptions {
  std::string scale_over = "all";

  static auto schema() {
    return std::tuple_cat(
        MapExampleOptions::schema(),
        std::tuple{param("scale_over", &ExampleOptions::scale_over,
                         "Which cells say the latent's scale, against which noise is measured: "
                         "`all`, or those that are `moving`, which fits scenes of which most "
                         "stands still.")
                       .one_of({"all", "moving"})});
  }
};

/// The examples of a recipe: computed from its graph when first asked for and kept as one file a
/// sample, so that memory does not grow with their number, training starts at once and a resumed
/// run finds what it had.
class TrainingExamples final : public TrainingSet {
 public:
  /// Steps of the graph that give the latent, the map it was made from, and the condition.
  struct Steps {
    size_t latent, momap, condition;
  };

  TrainingExamples(const Graph& graph, const Steps& steps, const ExampleOptions& options,
                   std::filesystem::path folder, const Backbone& backbone,
                   const std::function<bool()>* cancelled);

  int64_t size() const override { return samples_.size() * options_.futures; }
  TrainingItem item(int64_t i) const override;

  /// The sample example i comes from.
  std::string name(int64_t i) const { return samples_.name(i / options_.futures); }

  /// Meaning of the latent, pixels a cell, and scale, from `measured` samples spread evenly over
  /// the set. Computed in parallel; samples that cannot be made are told to `failed`.
  struct Measured {
    LatentSpec spec;
    int64_t stride = 1;
    at::Tensor scale;
  };
  Measured measure(const std::function<void(const std::string& why)>& failed) const;

 private:
  ExampleFile sample(int64_t i) const;
  ExampleFile compute(int64_t i, const std::string& key) const;

  SingleSamples samples_;
  ExampleOptions options_;
  std::filesystem::path folder_;
  const Backbone& backbone_;
  const std::function<bool()>* cancelled_;
  mutable std::array<std::mutex, 64> making_;  // so that no sample is made twice at once
};

}  // namespace momap
