// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace momap::network {

/// e^x to 2 units in the last place, x clamped to [-87, 87]; without branches, so that loops over
/// it become vectors. x = n ln 2 + r, and a polynomial in r (Cephes, expf).
inline __attribute__((always_inline)) float exponential(float x) {
  x = x > 87.0f ? 87.0f : x;
  x = x < -87.0f ? -87.0f : x;
  constexpr float kShift = 12582912.0f;  // 1.5 * 2^23: the sum's last bit is worth 1
  const float shifted = x * 1.44269504f + kShift;
  const float n = shifted - kShift;
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t power = (std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kShift) + 127)
                        << 23;
  return p * std::bit_cast<float>(power);
}

}  // namespace momap::network
