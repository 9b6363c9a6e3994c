// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "options.h"

namespace momap {

/// Runs a graph (resolved YAML) over its first samples (0 = all) into a folder, with what its
/// metrics look at written as videos: a clip beside its reference and their difference, a motion
/// map as paths. Steps come from the cache where they are there. Throws ConfigError and DataError.
void pictured_run(const std::string& graph, int64_t samples, const std::filesystem::path& folder,
                  const Options& options, const Catalog& catalog);

}  // namespace momap
