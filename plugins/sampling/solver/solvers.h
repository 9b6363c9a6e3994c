// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/stage/backbone.h>

#include <functional>

#include "steps.h"

namespace sampling {

/// What a prediction says of the clean latent and of the noise in it.
struct Estimate {
  at::Tensor clean;
  at::Tensor noise;
};

/// Reads a prediction made at `level`. Throws std::logic_error for a kind it does not know.
Estimate estimate(const at::Tensor& noisy, const at::Tensor& prediction, momap::Prediction kind,
                  momap::NoiseLevel level);

/// Asks the backbone about x at a time of its schedule, where x has this level.
using Denoise = std::function<Estimate(const at::Tensor& x, double time, momap::NoiseLevel level)>;

/// Fresh noise of the latents' shape.
using Noise = std::function<at::Tensor()>;

// Each solves for the clean latent from the first one, x = alpha x_0 + sigma eps at the first
// step's level. Scalars are double and tensors keep their type.

/// Denoising diffusion implicit models (Song, Meng, Ermon 2021). `eta` = share of fresh noise;
/// `clip` bounds the clean latent to [-clip, clip] (0: not bounded).
at::Tensor ddim(at::Tensor x, const Steps& steps, const Denoise& denoise, double eta, double clip,
                const Noise& fresh_noise);

/// Euler's method on the probability-flow equation (Karras et al. 2022); for flow matching its
/// plain Euler step.
at::Tensor euler(at::Tensor x, const Steps& steps, const Denoise& denoise);

/// Heun's second-order method (Karras et al. 2022, algorithm 1 without churn) in the variable
/// x / (alpha + sigma) over sigma / (alpha + sigma), which is finite from pure noise to clean. Asks
/// twice a step but for the last.
at::Tensor heun(at::Tensor x, const Steps& steps, const Denoise& denoise);

/// DPM-Solver++(2M) (Lu et al. 2022), midpoint form. The first step is of first order, and so is
/// the last when it ends clean or when there are fewer than 15.
at::Tensor dpm_solver_pp_2m(at::Tensor x, const Steps& steps, const Denoise& denoise);

}  // namespace sampling
