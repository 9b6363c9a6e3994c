// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// `momap generate --image ... --prompt ...`: K possible futures of a photograph as motion maps,
/// videos and a page.
int generate_command(const Options& options);

}  // namespace momap
