// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

// What loops are made of that the compiler turns into vectors: GCC gives up where it sees a branch.

namespace momap::warping {

#define MOMAP_INLINE inline __attribute__((always_inline))

MOMAP_INLINE int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
MOMAP_INLINE int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
MOMAP_INLINE int32_t distance(int32_t a, int32_t b) { return larger(a - b, b - a); }
MOMAP_INLINE float smaller(float a, float b) { return a < b ? a : b; }
MOMAP_INLINE float larger(float a, float b) { return a > b ? a : b; }
MOMAP_INLINE float magnitude(float a) { return __builtin_fabsf(a); }

/// `yes` where the condition is 1, `no` where it is 0.
template <class T>
MOMAP_INLINE T choose(int32_t condition, T yes, T no) {
  const int32_t mask = -condition;
  return std::bit_cast<T>((std::bit_cast<int32_t>(yes) & mask) |
                          (std::bit_cast<int32_t>(no) & ~mask));
}

/// A place nearer than 16,384 px to the origin, in 1/256 px, rounded to the nearest.
MOMAP_INLINE int32_t in_256ths(float px) {
  // The last bit of numbers around 1.5 * 2^15 is worth 1/256.
  constexpr float kShift = 49152.0f;
  return std::bit_cast<int32_t>(px + kShift) - std::bit_cast<int32_t>(kShift);
}

}  // namespace momap::warping
