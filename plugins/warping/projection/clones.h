// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Before a function whose loops the compiler vectorises: it is compiled for AVX-512, for AVX2 and
/// for any processor, and the loader picks. All give the same bits (no fused multiply-adds). Not
/// under ThreadSanitizer, which is not awake yet when the loader asks.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define MOMAP_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MOMAP_CLONES
#endif
