// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/experiment/sweep_folder.h>

#include <algorithm>

#include "report.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

// A run of the first job of a point that is done.
fs::path run_of(const fs::path& folder, const Plan& plan, const Settings& settings,
                int64_t samples) {
  for (const Job& job : plan.jobs) {
    if (job.settings != settings || job.samples != samples) continue;
    const auto outcome = JobFolder(folder, job.id).outcome();
    if (outcome && outcome->done) return JobFolder(folder, job.id).run();
  }
  return {};
}

}  // namespace

Report sweep_report(const fs::path& folder) {
  const Plan plan = read_plan(folder, "sweep");
  const Sweep sweep = kept_sweep(folder, plan);
  const RungResults rung = last_rung(folder, sweep, plan);
  Report report;
  report.kind = "sweep";
  report.title = fs::weakly_canonical(folder).filename().string();
  report.samples = rung.samples;
  report.cost = "s a job";
  report.repeat = fmt::format("momap sweep run {} -o FOLDER", shown(folder / "sweep.yaml"));
  int done = 0, failed = 0, jobs = 0;
  for (const PointResult& point : rung.points) {
    done += point.done, failed += point.failed, jobs += point.jobs;
    ReportRow row;
    row.name = text_of(point.settings);
    if (!sweep.baseline.empty() && contains(point.settings, sweep.baseline)) {
      row.remarks.emplace_back("baseline");
    }
    if (point.failed > 0) {
      const std::string counted =
          fmt::format("{} of {} jobs failed: {}", point.failed, point.jobs, point.reason);
      (point.done == 0 ? row.failure : row.remarks.emplace_back()) = counted;
    } else if (point.done == 0) {
      row.failure = "not run";
    }
    row.settings = point.settings;
    row.result = point.result;
    row.pooled = true;
    if (point.done > 0) {
      row.seconds = Interval{point.seconds, point.seconds, point.seconds};
      row.gib = point.peak_gib;
      row.run = run_of(folder, plan, point.settings, rung.samples);
    }
    report.rows.push_back(std::move(row));
  }
  report.facts = {{"Points", std::to_string(rung.points.size())},
                  {"Jobs", fmt::format("{} of {} done, {} failed", done, jobs, failed)},
                  {"Samples a job", rung.samples > 0 ? std::to_string(rung.samples) : "all"},
                  {"Build", plan.build}};
  report.varying = varying_keys(rung.points);
  if (done > 0) report.scores = shown_scores(sweep, rung.points);
  return report;
}

}  // namespace momap
