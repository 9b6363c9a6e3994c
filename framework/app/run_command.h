// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/graph/graph.h>
#include <momap/run/executor.h>
#include <momap/run/record.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "options.h"

namespace momap {

/// The plugins that can be used, with a warning on stderr for each library that cannot.
Catalog engine_catalog(const Options& options);

/// The step cache the options ask for; nullptr with --no-cache.
std::unique_ptr<Cache> open_cache(const Options& options);

/// runs/<name>-<UTC time>, or what -o says.
std::filesystem::path run_folder(const Options& options, const std::string& name);

/// Run options with threads, cache, cancellation and a progress line filled in.
RunOptions run_options(const Options& options, int threads, Cache* cache);

/// Runs a graph into a folder with its record. `on_sample` sees each result before it is recorded.
struct RecordedRun {
  std::filesystem::path folder;
  RunSummary summary;
  std::unique_ptr<RunRecorder> recorder;
};
RecordedRun recorded_run(const Graph& graph, const std::filesystem::path& folder,
                         RunOptions options, const Cache* cache);

int run_command(const Options& options);
int explain_command(const Options& options);

}  // namespace momap
