// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/stage/backbone.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace momap {

/// One example of a training set.
struct TrainingItem {
  at::Tensor latent;  // f32 [C, h, w], as the encoding made it
  at::Tensor valid;   // f32 [h, w], share of the cell's pixels with evidence; undefined: all
  Conditioning conditioning;  // B = 1, from Backbone::prepare
};

/// Examples read on demand; sizes h, w may differ between them.
class TrainingSet {
 public:
  virtual ~TrainingSet() = default;
  virtual int64_t size() const = 0;

  /// Example i in [0, size()), always the same. Called from several threads at once. Throws
  /// DataError for one that cannot be used.
  virtual TrainingItem item(int64_t i) const = 0;
};

/// The `train:` section of a recipe.
struct TrainOptions {
  int64_t steps = 3000;
  int64_t batch = 8;
  int64_t micro_batch = 2;
  double learning_rate = 1e-3;
  int64_t warmup = 100;
  double weight_decay = 0.01;
  double clip = 1.0;
  double ema = 0.999;
  double l1 = 0;
  double motion_weight = 0;
  double drop_text = 0.1;
  double drop_image = 0.05;
  int64_t save_every = 250;
  int64_t report_every = 20;

  static auto schema() {
    return std::tuple{
        param("steps", &TrainOptions::steps, "Optimiser steps in all.").between(1, 1e9),
        param("batch", &TrainOptions::batch, "Examples a step.").between(1, 65536),
        param("micro_batch", &TrainOptions::micro_batch,
              "Examples that go through the network together; threads share out these. Part of the "
              "result.")
            .between(1, 4096),
        param("learning_rate", &TrainOptions::learning_rate, "Highest rate of AdamW.").above(0),
        param("warmup", &TrainOptions::warmup,
              "Steps over which the rate rises; then it falls along a cosine to 0.")
            .at_least(0),
        param("weight_decay", &TrainOptions::weight_decay,
              "Pull of weights (not biases) to zero, times the rate.")
            .at_least(0),
        param("clip", &TrainOptions::clip, "Longest gradient (Euclidean norm of all parameters).")
            .above(0),
        param("ema", &TrainOptions::ema,
              "Decay a step of the averaged weights, which are the result.")
            .between(0, 1),
        param("l1", &TrainOptions::l1,
              "Weight of the L1 error of the clean latent; favours medians over means.")
            .at_least(0),
        param("motion_weight", &TrainOptions::motion_weight,
              "How much more the cell that moves most counts than a still one. Above 0, where "
              "still and moving are "
              "both possible, moving is drawn too often.")
            .at_least(0),
        param("drop_text", &TrainOptions::drop_text,
              "Share of examples shown without text, for guidance.")
            .between(0, 1),
        param("drop_image", &TrainOptions::drop_image,
              "Share of examples shown without image, points and segments.")
            .between(0, 1),
        param("save_every", &TrainOptions::save_every, "Steps between checkpoints.")
            .between(1, 1e9)
            .runtime_only(),
        param("report_every", &TrainOptions::report_every, "Steps between progress reports.")
            .between(1, 1e9)
            .runtime_only(),
    };
  }
};

struct TrainFiles {
  std::filesystem::path checkpoint;  ///< what Backbone::save writes: the averaged weights
  std::filesystem::path state;       ///< all that resuming needs; an existing one is resumed from
  std::string card;                  ///< goes into the checkpoint
};

struct TrainProgress {
  int64_t step = 0;  ///< done so far
  int64_t steps = 0;
  double loss = 0;  ///< mean since the last report
  double learning_rate = 0;
  double items_per_second = 0;  ///< since the last report
};

struct TrainCallbacks {
  std::function<void(const TrainProgress&)>
      progress;  ///< every `report_every` steps and at the end
  /// The checkpoint was written after this step; `last` of the training.
  std::function<void(int64_t step, bool last)> saved;
  /// Told of each use of an example that threw DataError, from several threads at once; the batch
  /// does without it. Unset, or when it throws: the run ends.
  std::function<void(int64_t item, const std::string& why)> skip;
  const std::function<bool()>* cancelled = nullptr;  ///< as in Context
};

struct TrainResult {
  int64_t steps = 0;    ///< done in all
  int64_t resumed = 0;  ///< of them, done by earlier runs
  double loss = 0;      ///< mean over the last report
};

/// Trains a backbone on which `begin_training` was called, and leaves the averaged weights in it
/// and in `files.checkpoint`.
///
/// The same seed, set and options give the same weights to the bit, for any number of threads and
/// however often the run was killed and resumed. A loss or gradient that is not finite throws
/// ConfigError with the step and the last good checkpoint. Throws ConfigError when `files.state`
/// belongs to another run, Cancelled (state saved) after Ctrl-C.
TrainResult train(Backbone& backbone, const TrainingSet& set, const TrainOptions& options,
                  uint64_t seed, const TrainFiles& files, const TrainCallbacks& callbacks = {});

}  // namespace momap
