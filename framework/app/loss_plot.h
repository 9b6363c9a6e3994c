// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace momap {

/// Draws the loss column of a training's loss.csv over its steps as a PNG, the loss on a
/// logarithmic axis. Does nothing while there are fewer than two rows.
void plot_loss(const std::filesystem::path& csv, const std::filesystem::path& png);

}  // namespace momap
