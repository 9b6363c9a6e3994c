// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "report.h"

namespace momap {

/// Writes a report's curves, and the mean scores of each of its rows at step 0, as TensorBoard
/// event files: `<folder>/curves` and `<folder>/<row>`, each a run of TensorBoard. Throws
/// ConfigError.
void write_tensorboard(const Report& report, const std::filesystem::path& folder);

}  // namespace momap
