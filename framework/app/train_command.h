// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// `momap train recipe.yaml`: trains the backbone that the recipe names on latents and conditions
/// which its graph gives, each made when first needed. Resumes when the output folder holds a state
/// of the same recipe.
int train_command(const Options& options);

}  // namespace momap
