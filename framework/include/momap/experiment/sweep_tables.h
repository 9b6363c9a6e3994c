// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/plan.h>
#include <momap/experiment/results.h>
#include <momap/experiment/sweep.h>
#include <momap/experiment/table.h>

#include <filesystem>
#include <string>
#include <vector>

namespace momap {

/// One point of a sweep with what its jobs have given so far.
struct PointResult {
  Settings settings;
  int jobs = 0, done = 0, failed = 0;
  std::string reason;  ///< of the first job that failed
  RunResult result;    ///< over the seeds that are done
  double seconds = 0;  ///< wall time of a job
  double peak_gib = 0;
};

/// Results of the jobs of one rung (those with `samples`), by point.
std::vector<PointResult> point_results(const std::filesystem::path& folder, const Sweep& sweep,
                                       const Plan& plan, int64_t samples);

/// Keys that do not have the same value in all points.
std::vector<std::string> varying_keys(const std::vector<PointResult>& points);

/// A row a point: the keys that vary, each score as mean and 95 % interval, its paired difference
/// from the baseline, cost, state.
Table points_table(const Sweep& sweep, const std::vector<PointResult>& points);

/// A row for each value of each key that varies: the mean of each score over the points that have
/// it, best value of the key marked with *.
Table axes_table(const Sweep& sweep, const std::vector<PointResult>& points);

/// The points that no other beats in `score` without taking longer.
Table pareto_table(const Sweep& sweep, const std::vector<PointResult>& points,
                   const ScoreInfo& score);

/// The scores that tables show: those asked for, else all. Throws ConfigError for one that no point
/// has.
std::vector<ScoreInfo> shown_scores(const Sweep& sweep, const std::vector<PointResult>& points);

}  // namespace momap
