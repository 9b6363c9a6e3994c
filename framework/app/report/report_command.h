// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

int report_command(const Options& options);

}  // namespace momap
