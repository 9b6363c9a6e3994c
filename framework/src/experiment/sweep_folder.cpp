// SPDX-License-Identifier: Apache-2.0
#include <momap/base/files.h>
#include <momap/experiment/sweep_folder.h>

namespace momap {
namespace {

namespace fs = std::filesystem;

const char* const kSweepFile = "sweep.yaml";
const char* const kBaseFile = "base.yaml";

}  // namespace

void keep_sweep_files(const fs::path& folder, const fs::path& file, const Sweep& sweep) {
  write_file(folder / kSweepFile, read_file(file));
  write_file(folder / kBaseFile, read_file(sweep.base));
}

Sweep kept_sweep(const fs::path& folder, const Plan& plan) {
  Sweep sweep = read_sweep(folder / kSweepFile, plan.overrides);
  sweep.base = folder / kBaseFile;
  return sweep;
}

std::vector<int64_t> rungs_of(const Sweep& sweep) {
  return sweep.halving ? sweep.halving->samples : std::vector<int64_t>{sweep.samples};
}

RungResults last_rung(const fs::path& folder, const Sweep& sweep, const Plan& plan) {
  RungResults last;
  for (const int64_t samples : rungs_of(sweep)) {
    auto points = point_results(folder, sweep, plan, samples);
    if (!points.empty()) last = {samples, std::move(points)};
  }
  return last;
}

}  // namespace momap
