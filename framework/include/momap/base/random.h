// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace momap {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC
/// 2011): four random words from a counter and a key.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A stream of random numbers that is the same on any machine: it uses only integer and correctly
/// rounded operations, no library functions whose last bit differs.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  uint32_t word();
  double uniform();              ///< in [0, 1), 53 random bits
  int64_t below(int64_t bound);  ///< uniform in [0, bound), without bias; bound >= 1
  double normal();               ///< mean 0, variance 1 (Box-Muller)
  void fill_normal(std::span<float> out);

 private:
  uint64_t seed_;
  uint64_t stream_;
  uint64_t block_ = 0;
  std::array<uint32_t, 4> words_{};
  size_t used_ = 4;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace momap
