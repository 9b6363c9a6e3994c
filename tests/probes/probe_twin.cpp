// SPDX-License-Identifier: Apache-2.0
// The same id as a plugin of probes.cpp.
#include "tiny.h"

MOMAP_PLUGIN(Tiny, "annotation/probe_pass", 1, "A twin.");
