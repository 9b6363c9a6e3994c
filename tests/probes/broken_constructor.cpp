// SPDX-License-Identifier: Apache-2.0
// Crashes while it is being loaded.
#include <csignal>

#include "tiny.h"

namespace {
[[maybe_unused]] const int crash = std::raise(SIGSEGV);
}  // namespace

MOMAP_PLUGIN(Tiny, "annotation/broken_constructor", 1, "Crashes.");
