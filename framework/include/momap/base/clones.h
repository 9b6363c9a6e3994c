// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Before a function whose loops the compiler vectorises: it is compiled for AVX-512, for AVX2 and
/// for any x86-64, and the loader picks. All give the same bits as long as multiplications and
/// additions are not fused (-ffp-contract=off). Nothing under sanitizers, which are not awake yet
/// when the loader asks.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MOMAP_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MOMAP_CLONES
#endif
