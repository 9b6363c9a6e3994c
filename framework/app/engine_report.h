// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace momap {

/// Prints, as JSON, the libraries the engine runs with and its threads: what `momap doctor` shows.
int describe_engine(const Options& options);

}  // namespace momap
