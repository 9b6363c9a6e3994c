// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// Calls `body` and turns what it throws into a message on stderr and an exit code.
int guarded(const char* program, int (*body)(const Options&), const Options& options);

}  // namespace momap
