// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/params/params.h>
#include <momap/stage/sampler.h>

#include <functional>
#include <string>
#include <tuple>

#include "solvers.h"

namespace sampling {

/// What every sampler is told.
struct DrawParams {
  int samples = 4;
  int steps = 20;
  double guidance = 1;
  double image_guidance = 1;
  int batch = 1;
  std::string spacing = "trailing";
  int offset = 0;
  std::string end = "clean";

  static auto schema() {
    using momap::param;
    return std::tuple{
        param("samples", &DrawParams::samples, "How many latents (K) are drawn.").between(1, 1024),
        param("steps", &DrawParams::steps, "Denoising steps, evenly spaced in the schedule's time.")
            .between(1, 1000),
        param("guidance", &DrawParams::guidance,
              "How far the prompt is followed beyond what was learned: 1 = as learned, 0 = prompt "
              "ignored; other than 1 doubles the time.")
            .between(0, 30),
        param("image_guidance", &DrawParams::image_guidance,
              "The same for image, points and segments; different from 1 and from `guidance` it "
              "adds a third prediction a step.")
            .between(0, 30),
        param("batch", &DrawParams::batch,
              "Latents that go through the network together; threads share out the batches. The "
              "last one is filled up, so that latent k does not depend on how many are drawn; it "
              "may differ in the last bits between values of `batch`.")
            .between(1, 64),
        param("spacing", &DrawParams::spacing,
              "Which timesteps are asked when the backbone's schedule is a table (as Stable "
              "Diffusion's); other schedules are always spaced evenly from pure noise.")
            .one_of({"leading", "linspace", "trailing"}),
        param("offset", &DrawParams::offset, "Added to timesteps spaced `leading`.")
            .between(0, 1000),
        param("end", &DrawParams::end,
              "Level of the result: clean, or that of the first timestep of a table.")
            .one_of({"clean", "first_timestep"}),
    };
  }

  StepOptions step_options(bool karras = false) const;
};

/// Karras' spacing, for the samplers that can.
struct KarrasParams : DrawParams {
  bool karras = false;

  static auto schema() {
    return std::tuple_cat(
        DrawParams::schema(),
        std::tuple{momap::param("karras", &KarrasParams::karras,
                                "Space noise to signal as Karras et al. (2022), instead of "
                                "`spacing`; in a schedule without a table from 80 to 0.002.")});
  }
};

/// How a sampler gets from its first noise to the clean latents.
using Solve = std::function<at::Tensor(at::Tensor x, const Steps&, const Denoise&, const Noise&)>;

/// Draws `params.samples` latents with classifier-free guidance (Ho & Salimans 2022), split over
/// text and image as Brooks et al. (2023) do:
///   neither + image_guidance (image - neither) + guidance (both - image).
/// All noise of latent k comes from the seed and k. Throws DataError when the backbone's
/// predictions are not finite.
momap::Latent draw(const std::string& plugin, const momap::Backbone& backbone,
                   const momap::Condition& condition, const momap::Context& context,
                   const DrawParams& params, const Steps& steps, const Solve& solve);

}  // namespace sampling
