// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace momap {

/// Root mean square of each latent channel over a training set, one latent at a time (see
/// BackboneSpec::scale).
class LatentScale {
 public:
  /// latent f32 [C, h, w]; valid f32 [h, w] as in TrainingItem, or undefined. Throws DataError for
  /// another C and for values that are not finite.
  void add(const at::Tensor& latent, const at::Tensor& valid = {});

  /// f32 [C]. Channels far weaker than the strongest (1e-3 of it) are not blown up further. Throws
  /// DataError when nothing was added or nothing moves.
  at::Tensor scale() const;

 private:
  std::vector<double> squares_;  // [C]
  double cells_ = 0;
};

}  // namespace momap
