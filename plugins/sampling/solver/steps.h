// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/backbone.h>
#include <momap/stage/noise_schedule.h>

#include <cstdint>
#include <vector>

namespace sampling {

/// One denoising step: the backbone is asked at `time`, where the latent has level `from`; the step
/// ends at level `to`.
struct Step {
  double time;
  momap::NoiseLevel from;
  momap::NoiseLevel to;
};

struct Steps {
  std::vector<Step> list;
  double start = 1;  ///< standard deviation of the first latent
};

/// Where the timesteps of a table are put ("Common Diffusion Noise Schedules and Sample Steps Are
/// Flawed", Lin et al. 2024, table 2). Continuous schedules are always spaced evenly from pure
/// noise (trailing).
enum class Spacing { leading, linspace, trailing };

struct StepOptions {
  int64_t count = 20;
  Spacing spacing = Spacing::trailing;
  int64_t offset = 0;      ///< added to `leading` timesteps
  bool karras = false;     ///< sigma / alpha as Karras et al. (2022), rho = 7, instead of `spacing`
  bool ends_clean = true;  ///< false: at the level of timestep 0 of a table
};

/// The steps of a method. Each follows the conventions its scheduler has in the diffusers library,
/// so that a table schedule gives the same timesteps and levels; they differ in rounding, in where
/// a step ends and in the first amplitude. Throw ConfigError when `count` or `offset` do not fit
/// the table, and when a prediction of noise is asked for where there is no signal.
Steps ddim_steps(const momap::NoiseSchedule& schedule, momap::Prediction prediction,
                 const StepOptions& options);
Steps dpm_solver_steps(const momap::NoiseSchedule& schedule, momap::Prediction prediction,
                       const StepOptions& options);
Steps euler_steps(const momap::NoiseSchedule& schedule, momap::Prediction prediction,
                  const StepOptions& options);

}  // namespace sampling
