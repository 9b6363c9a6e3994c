// SPDX-License-Identifier: Apache-2.0
// Calls what nobody defines.
#include "tiny.h"

namespace momap {
int nobody_defines_this();
}

extern "C" __attribute__((visibility("default"))) int use_it() {
  return momap::nobody_defines_this();
}
MOMAP_PLUGIN(Tiny, "annotation/broken_symbol", 1, "Lacks a symbol.");
