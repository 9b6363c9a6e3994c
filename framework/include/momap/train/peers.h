// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace momap {

/// Processes that train one network together, each on its share of every batch (data-parallel, by
/// LibTorch's Gloo).
class Peers {
 public:
  /// As torchrun and other launchers say it: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; with
  /// MASTER_ADDR alone, rank and number are those of Slurm's task (SLURM_PROCID, SLURM_NTASKS).
  /// Nothing where the variables are absent or there is only one process. Waits until all have
  /// come. Throws ConfigError for values that make no sense and when they do not come.
  static std::unique_ptr<Peers> from_environment();

  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  int rank() const { return rank_; }    ///< of this process, from 0
  int count() const { return count_; }  ///< of processes

  /// Replaces each tensor (f32, the same shapes everywhere) by its sum over the processes, the same
  /// bytes for all. Throws ConfigError when one of them is gone.
  void sum(const std::vector<at::Tensor>& tensors);

  /// Returns once all processes have called it. Throws as `sum` does.
  void meet();

 private:
  struct Group;
  Peers(std::unique_ptr<Group> group, int rank, int count);

  std::unique_ptr<Group> group_;
  int rank_, count_;
};

}  // namespace momap
