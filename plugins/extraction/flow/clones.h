// SPDX-License-Identifier: Apache-2.0
#pragma once

// For the few loops that take nearly all the time: compiled for three generations of x86-64, chosen
// when the library is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define MOMAP_FLOW_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MOMAP_FLOW_CLONES
#endif
