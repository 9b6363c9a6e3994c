// SPDX-License-Identifier: Apache-2.0
#include "reconstruction_loss.h"

#include <ATen/ATen.h>
#include <momap/stage/feature_distance.h>

namespace vae {
namespace {

constexpr int kScales = 3;

// Mean of `values` [1, 1, H, W] over `mask` of the same shape; 0 where the mask is empty.
at::Tensor mean_over(const at::Tensor& values, const at::Tensor& mask) {
  return (values * mask).sum() / mask.sum().clamp_min(1);
}

// Differences of the error between neighbours that both count, at several scales.
at::Tensor gradient_error(at::Tensor error, at::Tensor counts) {
  at::Tensor sum = at::zeros({}, at::kFloat);
  for (int scale = 0; scale < kScales; ++scale) {
    for (const int64_t axis : {2, 3}) {
      const int64_t n = error.size(axis) - 1;
      if (n < 1) continue;
      const at::Tensor step =
          (error.narrow(axis, 1, n) - error.narrow(axis, 0, n)).abs().sum(1, true);
      sum = sum + mean_over(step, counts.narrow(axis, 1, n) * counts.narrow(axis, 0, n));
    }
    if (error.size(2) < 2 || error.size(3) < 2) break;
    error = at::avg_pool2d(error, {2, 2});
    counts = at::avg_pool2d(counts, {2, 2}).ge(1).to(at::kFloat);
  }
  return sum;
}

}  // namespace

at::Tensor reconstruction_loss(const Autoencoder& autoencoder, const Autoencoder* network,
                               const LossWeights& weights, const at::Tensor& paths,
                               const at::Tensor& valid, const at::Tensor& guide,
                               const at::Tensor& noise) {
  const Posterior posterior = autoencoder.encode(paths);
  const at::Tensor latent = posterior.mean + (0.5 * posterior.log_variance).exp() * noise;
  const at::Tensor back = autoencoder.decode(latent, guide);

  // In the same unit for all curves, as the error of a path is.
  const at::Tensor share = (autoencoder.unit / autoencoder.unit.max()).view({1, -1, 1, 1});
  const at::Tensor known = valid.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  const at::Tensor moving = paths.abs().sum(1, true).gt(0).to(at::kFloat) * known;
  const at::Tensor error = (back - paths) * share;
  const at::Tensor size = error.abs().sum(1, true);
  at::Tensor loss = mean_over(size, moving) + mean_over(size, known - moving);
  if (weights.gradient > 0) loss = loss + weights.gradient * gradient_error(error, known);
  if (weights.kl > 0) {
    const at::Tensor divergence =
        0.5 * (posterior.mean.square() + posterior.log_variance.exp() - 1 - posterior.log_variance);
    loss = loss + weights.kl * divergence.mean();
  }
  if (weights.perceptual > 0 && network) {
    // In the network's own units.
    const at::Tensor other = (autoencoder.unit / network->unit).view({1, -1, 1, 1});
    loss = loss + weights.perceptual * momap::feature_distance(network->features(back * other),
                                                               network->features(paths * other))[0];
  }
  return loss;
}

}  // namespace vae
