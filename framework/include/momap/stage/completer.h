// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/clip.h>
#include <momap/data/partial_clip.h>
#include <momap/stage/stage.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace momap {

/// Fills the pixels that are not covered. Covered pixels pass through bit for bit; the clip's
/// `covered` tells which.
class Completer : public Stage {
 public:
  virtual Clip complete(const PartialClip& partial, const Context& context) = 0;

  /// The learned tensors by name, shared with the network; empty for what cannot be trained. A
  /// network without weights has them only after `begin_training`.
  virtual std::vector<std::pair<std::string, at::Tensor>> parameters() const { return {}; }

  /// Makes the parameters of a network without weights.
  virtual void begin_training() {}

  /// How far the filling of `partial` is from `truth` (u8 [T, H, W, 3] frames of the same size);
  /// differentiable in the parameters. All that is drawn at random (the part of the picture, its
  /// turn) derives from `seed`. Thread-safe. Throws DataError for an example without a hole whose
  /// truth is known.
  virtual at::Tensor loss(const PartialClip& partial, const Clip& truth, uint64_t seed) const;

  /// Writes `parameters` (the averaged ones, by the names of `parameters()`) with all that a later
  /// run needs to load them. Written aside and renamed.
  virtual void save(const std::filesystem::path& path,
                    const std::vector<std::pair<std::string, at::Tensor>>& parameters,
                    const std::string& card) const;
};

}  // namespace momap
