// SPDX-License-Identifier: Apache-2.0
// An id whose stage does not exist.
#include "tiny.h"

MOMAP_PLUGIN(Tiny, "anotation/broken_stage", 1, "Misspelt stage.");
