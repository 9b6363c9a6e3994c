// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "finished_run.h"
#include "options.h"

namespace momap {

/// Writes `view.html`, and beside it the points of the run's motion maps, at most `most` of each;
/// nothing, and false, when the run has none.
bool write_view(const FinishedRun& run, const std::filesystem::path& folder, int64_t most);

int view_command(const Options& options);

}  // namespace momap
