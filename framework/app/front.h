// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// Whether a command only reads, and so runs in the launcher, without LibTorch.
bool is_front_command(const Options& options);

/// Runs such a command; returns the exit code.
int run_front_command(const Options& options);

}  // namespace momap
