// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "autoencoder.h"

namespace vae {

/// What counts how much.
struct LossWeights {
  double gradient = 0;    ///< of the error's differences between neighbours, at three scales
  double kl = 0;          ///< of the divergence from the standard normal distribution
  double perceptual = 0;  ///< of the distance as `network` sees it
};

/// How far paths f32 [1, 3 K, H, W], in units of the autoencoder's, are from themselves after it,
/// over valid pixels (bool [H, W]): L1 over those that move and those that do not, each by its own
/// mean, and `weights`. `noise` f32 [1, C, h, w] is what the latent is drawn with; `network` may be
/// null.
at::Tensor reconstruction_loss(const Autoencoder& autoencoder, const Autoencoder* network,
                               const LossWeights& weights, const at::Tensor& paths,
                               const at::Tensor& valid, const at::Tensor& guide,
                               const at::Tensor& noise);

}  // namespace vae
