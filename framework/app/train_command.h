// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// `momap train recipe.yaml`: runs the recipe's graph, keeps its latents and conditions on disk,
/// and trains the backbone it names on them. Resumes when the output folder holds a state of the
/// same recipe.
int train_command(const Options& options);

}  // namespace momap
