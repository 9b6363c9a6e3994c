// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/train/lesson.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace momap {

/// How a recipe's `train:` section asks for the training to go, whatever is taught.
struct TrainOptions {
  int64_t steps = 3000;
  int64_t batch = 8;
  int64_t micro_batch = 2;
  double learning_rate = 1e-3;
  int64_t warmup = 100;
  double weight_decay = 0.01;
  double clip = 1.0;
  double ema = 0.999;
  int64_t save_every = 250;
  int64_t report_every = 20;

  static auto schema() {
    return std::tuple{
        param("steps", &TrainOptions::steps, "Optimiser steps in all.").between(1, 1e9),
        param("batch", &TrainOptions::batch, "Examples a step, of all processes together.")
            .between(1, 65536),
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
  std::filesystem::path checkpoint;  ///< what Lesson::save writes: the averaged weights
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
  SkipExample skip;
  const std::function<bool()>* cancelled = nullptr;  ///< as in Context
};

struct TrainResult {
  int64_t steps = 0;    ///< done in all
  int64_t resumed = 0;  ///< of them, done by earlier runs
  double loss = 0;      ///< mean over the last report
};

class Peers;

/// Trains the network of a lesson, and leaves the averaged weights in it and in
/// `files.checkpoint`.
///
/// The same seed, lesson and options give the same weights to the bit, for any number of threads
/// and however often the run was killed and resumed. A loss or gradient that is not finite throws
/// ConfigError with the step and the last good checkpoint. Throws ConfigError when there is nothing
/// to learn or to learn from and when `files.state` belongs to another run, Cancelled (state saved)
/// after Ctrl-C.
///
/// With `peers`, each process works on its share of every batch; all must be given the same, and
/// files that all can read. Rank 0 writes them. The result is that of one process but for the order
/// of sums. When a process is lost, rank 0 saves what was done and all others throw ConfigError, as
/// it does.
TrainResult train(const Lesson& lesson, const TrainOptions& options, uint64_t seed,
                  const TrainFiles& files, const TrainCallbacks& callbacks = {},
                  Peers* peers = nullptr);

}  // namespace momap
