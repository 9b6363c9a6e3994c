// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/plan.h>
#include <momap/experiment/sweep.h>
#include <momap/experiment/sweep_tables.h>

#include <filesystem>
#include <vector>

namespace momap {

/// Keeps copies of a sweep's files in its folder: it goes on from these, whatever happens to those
/// it was started from. Throws ConfigError.
void keep_sweep_files(const std::filesystem::path& folder, const std::filesystem::path& file,
                      const Sweep& sweep);

/// The sweep kept in a folder, with the overrides of its plan. Throws ConfigError.
Sweep kept_sweep(const std::filesystem::path& folder, const Plan& plan);

/// Samples of a job in each rung; one rung without halving.
std::vector<int64_t> rungs_of(const Sweep& sweep);

/// The last rung that has results, and these; no points when there are none yet.
struct RungResults {
  int64_t samples = 0;
  std::vector<PointResult> points;
};
RungResults last_rung(const std::filesystem::path& folder, const Sweep& sweep, const Plan& plan);

}  // namespace momap
