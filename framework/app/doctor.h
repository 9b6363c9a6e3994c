// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/catalog/catalog.h>

#include "options.h"

namespace momap {

/// Prints versions, threads, folders and how many plugins there are. False when the engine does not
/// start.
bool print_doctor(const Options& options, const Catalog& catalog);

}  // namespace momap
