// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// Where an example stands in a run; all its randomness derives from it.
struct Slot {
  int64_t item = 0;        ///< of the lesson's examples
  uint64_t seed = 0;       ///< of what is drawn for it
  double noise_level = 0;  ///< in [0, 1), spread evenly over the batch
};

/// Told of an example that cannot be used; unset: that ends the run.
using SkipExample = std::function<void(int64_t item, const std::string& why)>;

/// What a training run teaches: a network, and the loss of its examples.
class Lesson {
 public:
  virtual ~Lesson() = default;

  /// Examples, numbered from 0.
  virtual int64_t size() const = 0;

  /// The learned tensors (f32, on the CPU) by name, shared with the network.
  virtual std::vector<std::pair<std::string, at::Tensor>> parameters() const = 0;

  /// Sum of the losses of some examples; differentiable in the parameters, and the same for the
  /// same slots. Called from several threads at once. Undefined when no example is left.
  virtual at::Tensor loss(const std::vector<Slot>& slots, const SkipExample& skip) const = 0;

  /// Writes a checkpoint of the averaged parameters.
  virtual void save(const std::filesystem::path& path,
                    const std::vector<std::pair<std::string, at::Tensor>>& averaged,
                    const std::string& card) const = 0;

  /// Settings of the loss, as text: a run resumes only with the same.
  virtual std::string settings() const { return {}; }
};

}  // namespace momap
