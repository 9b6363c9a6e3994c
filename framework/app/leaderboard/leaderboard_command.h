// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

int leaderboard_run_command(const Options& options);
int leaderboard_show_command(const Options& options);
int leaderboard_check_command(const Options& options);

}  // namespace momap
