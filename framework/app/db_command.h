// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

int db_info_command(const Options& options);
int db_verify_command(const Options& options);
int db_merge_command(const Options& options);
int db_export_command(const Options& options);

}  // namespace momap
