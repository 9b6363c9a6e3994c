// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "page.h"
#include "run_command.h"

namespace momap {

/// The files of the steps named, in that order, captioned "<caption>" or, for K futures,
/// "<caption>, future k".
std::vector<Figure> figures_of(const RecordedRun& run,
                               const std::vector<std::pair<std::string, std::string>>& steps);

/// Score totals of a run as a table.
std::vector<std::vector<std::string>> score_table(const RecordedRun& run);

/// What `configs/graphs/generate.yaml` wrote.
PageSection futures_section(const RecordedRun& run, const std::string& prompt);

}  // namespace momap
