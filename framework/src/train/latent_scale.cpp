// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/train/latent_scale.h>

#include <algorithm>
#include <cmath>

namespace momap {

void LatentScale::add(const at::Tensor& latent, const at::Tensor& valid) {
  if (squares_.empty()) squares_.assign(static_cast<size_t>(latent.size(0)), 0.0);
  if (latent.size(0) != static_cast<int64_t>(squares_.size())) {
    throw DataError(
        fmt::format("a training latent has {} channels, the others have {}; encode all alike",
                    latent.size(0), squares_.size()));
  }
  if (!at::isfinite(latent).all().item<bool>()) {
    throw DataError("a training latent has values that are not finite");
  }
  const at::Tensor weight = valid.defined()
                                ? valid.to(at::kDouble)
                                : at::ones({latent.size(1), latent.size(2)}, at::kDouble);
  const at::Tensor sums = (latent.to(at::kDouble).square() * weight).sum({1, 2});
  for (size_t c = 0; c < squares_.size(); ++c) squares_[c] += sums.data_ptr<double>()[c];
  cells_ += weight.sum().item<double>();
}

at::Tensor LatentScale::scale() const {
  constexpr double kWeakest = 1e-3;
  const double strongest =
      squares_.empty() ? 0 : *std::max_element(squares_.begin(), squares_.end());
  if (!(strongest > 0)) {
    throw DataError(
        "nothing moves in the training latents, so there is nothing to learn; check the motion "
        "maps");
  }
  at::Tensor scale = at::empty({static_cast<int64_t>(squares_.size())}, at::kFloat);
  for (size_t c = 0; c < squares_.size(); ++c) {
    const double square = std::max(squares_[c], strongest * kWeakest * kWeakest);
    scale.data_ptr<float>()[c] = static_cast<float>(std::sqrt(square / cells_));
  }
  return scale;
}

}  // namespace momap
