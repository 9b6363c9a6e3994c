// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/experiment/job.h>
#include <momap/experiment/settings.h>
#include <momap/graph/graph.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace momap {

/// Successive halving (Jamieson & Talwalkar 2016): all points run on few samples, the better share
/// goes on with more.
struct Halving {
  std::string score;             ///< "step.name", "psnr.psnr_all"
  std::vector<int64_t> samples;  ///< by rung, rising
  double keep = 0.5;             ///< share of the points that goes on from each rung
};

/// A sweep file, read and expanded: which settings of one base graph to run.
struct Sweep {
  std::filesystem::path file;
  std::filesystem::path base;    ///< graph that the settings change
  std::vector<Settings> points;  ///< in the order in which they run; no two alike
  std::vector<uint64_t> seeds;   ///< each point runs with each
  Settings baseline;             ///< of one of the points; empty = none
  int64_t samples = 0;           ///< of each job; 0 = all
  JobLimits limits;
  int64_t budget_jobs = 0;    ///< at most so many jobs; 0 = all
  double budget_seconds = 0;  ///< no job begins later than this after the start; 0 = without
  std::optional<Halving> halving;
  std::vector<std::string> show;  ///< scores of the tables, "step.name"; empty = all
};

/// Reads a sweep file. Axes multiply: `grid` (every combination), `zip` (lists walked together),
/// `list` (points written out), `random` (drawn), then each `when` for the points it fits. `set`
/// holds for all points; `overrides` ("key=value") too and win. Throws ConfigError with all
/// problems, each with its place; and for more than 100,000 points.
Sweep read_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// Checks the graph of every point and makes the jobs of one rung (all samples when `samples` is
/// 0). Throws ConfigError with the problems of all points.
std::vector<Job> sweep_jobs(const Sweep& sweep, const std::vector<Settings>& points,
                            int64_t samples, const Catalog& catalog);

}  // namespace momap
