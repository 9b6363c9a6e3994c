// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace momap::network {

/// x = e^x to 2 units in the last place, x clamped to [-87, 87]; without branches, so that loops
/// over it become vectors. `Float` is float or a vector of them, `Integer` int32_t or as many of
/// those. x = n ln 2 + r, and a polynomial in r (Cephes, expf).
template <class Integer, class Float>
inline __attribute__((always_inline)) void exponentiate(Float& x) {
  x = x > 87.0f ? Float{} + 87.0f : x;
  x = x < -87.0f ? Float{} - 87.0f : x;
  constexpr float kShift = 12582912.0f;  // 1.5 * 2^23: the sum's last bit is worth 1
  constexpr int32_t kShiftBits = __builtin_bit_cast(int32_t, kShift);
  const Float shifted = x * 1.44269504f + kShift;
  const Float n = shifted - kShift;
  const Float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  Float p = Float{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const Integer power = (__builtin_bit_cast(Integer, shifted) - kShiftBits + 127) << 23;
  x = p * __builtin_bit_cast(Float, power);
}

inline __attribute__((always_inline)) float exponential(float x) {
  exponentiate<int32_t>(x);
  return x;
}

}  // namespace momap::network
