// SPDX-License-Identifier: Apache-2.0
// Needs a library that is not on the search path.
#include "tiny.h"

extern "C" int vanishing();
extern "C" __attribute__((visibility("default"))) int use_it() { return vanishing(); }
MOMAP_PLUGIN(Tiny, "annotation/broken_dependency", 1, "Lacks a library.");
