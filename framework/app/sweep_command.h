// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

int sweep_run_command(const Options& options);
int sweep_resume_command(const Options& options);  ///< also `sweep retry`: failed jobs once more
int sweep_status_command(const Options& options);

}  // namespace momap
