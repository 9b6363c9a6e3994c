// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/train/trainer.h>

#include <string>
#include <utility>
#include <vector>

namespace momap {

/// AdamW (Loshchilov & Hutter 2019) with an exponential average of the weights.
class Optimizer {
 public:
  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

  /// Shares `parameters` (f32, on the CPU) with the network.
  explicit Optimizer(const NamedTensors& parameters);

  /// One step; `step` counts from 0. Returns the gradient's norm before clipping; when it is not
  /// finite nothing changes.
  double update(const std::vector<at::Tensor>& gradients, const TrainOptions& options,
                int64_t step);

  NamedTensors averaged() const;
  void use_averaged();  ///< copies the average into the network

  /// Everything, exactly. `identity` says whose state it is: `load` throws ConfigError for
  /// another's.
  void save(const std::filesystem::path& path, int64_t step, const std::string& identity) const;
  int64_t load(const std::filesystem::path& path, const std::string& identity);

  static double learning_rate(const TrainOptions& options, int64_t step);

 private:
  struct Weights {
    std::string name;
    at::Tensor value;    // shared with the network
    at::Tensor average;  // of the values over the steps
    at::Tensor mean;     // of the gradient
    at::Tensor square;   // of the gradient
  };
  std::vector<Weights> weights_;
};

}  // namespace momap
