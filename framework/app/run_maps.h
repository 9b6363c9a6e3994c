// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "finished_run.h"

namespace momap {

/// A file that an output step of a run wrote.
struct RunFile {
  std::string step;
  std::filesystem::path path;
};

/// A safetensors file of a run that may hold a MoMap, and what the run shows of the same sample.
struct RunMap {
  std::string name;  ///< the sample's, with "-k" for one of several futures
  RunFile file;
  std::optional<RunFile> reference;  ///< picture, video or clip whose first frame is the map's view
  std::vector<RunFile> figures;      ///< pictures and videos, in order of steps
};

/// The safetensors files of a run, by step and name.
std::vector<RunMap> maps_of(const FinishedRun& run);

/// Pictures and videos that the output steps of a run wrote, by the name of the result: the
/// sample's, with "-k" for one of several futures.
std::map<std::string, std::vector<RunFile>> figures_by_name(const FinishedRun& run);

/// Which step to add to a run's graph so that the run has a MoMap: a line of YAML.
std::string map_step_advice(const FinishedRun& run);

}  // namespace momap
