// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Before a function with plain loops: compiled once for each level of x86-64, chosen when the
/// library is loaded. The results are the same, because multiplications and additions are not
/// fused.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MOMAP_EVERY_SIMD_LEVEL \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define MOMAP_EVERY_SIMD_LEVEL
#endif
