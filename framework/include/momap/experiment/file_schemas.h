// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>

#include <string>

namespace momap {

/// JSON Schema (2020-12) of sweep files for editors. It knows nothing of the base graph, so any
/// `step.with.name` may be varied.
std::string sweep_json_schema();

/// The same of leaderboard files: as graphs, but for steps that entries fill.
std::string board_json_schema(const Catalog& catalog);

}  // namespace momap
