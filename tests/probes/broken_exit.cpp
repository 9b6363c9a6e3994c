// SPDX-License-Identifier: Apache-2.0
// Ends the process while it is being loaded.
#include <cstdlib>

#include "tiny.h"

namespace {
[[maybe_unused]] const int gone = (std::_Exit(0), 0);
}  // namespace

MOMAP_PLUGIN(Tiny, "annotation/broken_exit", 1, "Exits.");
