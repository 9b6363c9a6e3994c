// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>
#include <momap/graph/graph.h>
#include <momap/params/params.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "options.h"

namespace momap {

/// The part of a recipe's `train:` section that says how a training is watched.
struct ValidationOptions {
  std::string validation;
  int64_t validate_every = 500;
  std::string keep_best;

  static auto schema() {
    return std::tuple{
        param("validation", &ValidationOptions::validation,
              "Graph with metrics that is run with the checkpoint as `weights` of its step of the "
              "learner's name; empty: none.")
            .file()
            .runtime_only(),
        param("validate_every", &ValidationOptions::validate_every,
              "Steps between validations, at the first checkpoint saved then; the last is always "
              "validated.")
            .between(1, 1e9)
            .runtime_only(),
        param("keep_best", &ValidationOptions::keep_best,
              "`step.score` of the validation graph whose best checkpoint is kept as "
              "best.safetensors; empty: none.")
            .runtime_only(),
    };
  }
};

/// Runs the validation graph on checkpoints, keeps the means of its scores in validation.csv (step,
/// score, mean, samples) and the best checkpoint.
class Validation {
 public:
  /// `learner` is the recipe's step that learns; the validation graph has one of its name. Throws
  /// ConfigError when the graph or `keep_best` is not sound.
  Validation(const Options& options, const Catalog& catalog, ValidationOptions wanted,
             const Step& learner, std::filesystem::path folder, int threads);

  /// A checkpoint was saved after this step; `last` of the training.
  void saved(int64_t step, bool last, const std::filesystem::path& checkpoint);

 private:
  void validate(int64_t step, const std::filesystem::path& checkpoint);

  const Options& options_;
  const Catalog& catalog_;
  ValidationOptions wanted_;
  std::string learner_;  // its name
  std::filesystem::path folder_;
  int threads_;
  int64_t validated_ = 0;
  std::optional<double> best_;
};

}  // namespace momap
