// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/train/trainer.h>

#include <vector>

namespace momap {

/// Where an example stands in a run; all its randomness derives from it.
struct Slot {
  int64_t item = 0;        ///< of the training set
  uint64_t seed = 0;       ///< of noise and dropout
  double noise_level = 0;  ///< in [0, 1)
};

/// The slots of a step: every example once an epoch in an order of its own, noise levels spread
/// evenly over [0, 1).
std::vector<Slot> slots_of_step(uint64_t seed, int64_t step, int64_t batch, int64_t items);

/// Sum of the losses of some examples; differentiable in the backbone's parameters. `skip`: see
/// TrainCallbacks; undefined when no example is left.
at::Tensor denoising_loss(const Backbone& backbone, const TrainingSet& set,
                          const TrainOptions& options, const std::vector<Slot>& slots,
                          const std::function<void(int64_t, const std::string&)>& skip);

}  // namespace momap
