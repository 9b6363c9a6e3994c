// SPDX-License-Identifier: Apache-2.0
#include <momap/base/random.h>

#include <cmath>
#include <numbers>

namespace momap {
namespace {

// Natural logarithm for x > 0 by the series of 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.172.
double natural_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < std::numbers::sqrt2 / 2) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double sum = 0;
  for (int n = 21; n >= 1; n -= 2) sum = sum * s2 + 1.0 / n;
  return exponent * std::numbers::ln2 + 2 * s * sum;
}

struct CosSin {
  double cos;
  double sin;
};

// Cosine and sine of 2 pi u for u in [0, 1): Taylor series in the nearest quarter turn, |angle| <=
// pi / 4.
CosSin turn(double u) {
  const int quarter = static_cast<int>(u * 4 + 0.5);
  const double a = 2 * std::numbers::pi * (u - 0.25 * quarter);
  const double a2 = a * a;
  double c = 1;
  double s = 1;
  for (int n = 16; n >= 2; n -= 2) {
    c = 1 - a2 / (n * (n - 1)) * c;
    s = 1 - a2 / (n * (n + 1)) * s;
  }
  s *= a;
  switch (quarter % 4) {
    case 0:
      return {c, s};
    case 1:
      return {-s, c};
    case 2:
      return {-c, -s};
    default:
      return {s, -c};
  }
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

uint32_t Random::word() {
  if (used_ == 4) {
    words_ = philox4x32({static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32),
                         static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32)},
                        {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
    ++block_;
    used_ = 0;
  }
  return words_[used_++];
}

double Random::uniform() {
  const uint64_t high = word() >> 5;
  const uint64_t low = word() >> 6;
  return static_cast<double>(high << 26 | low) * 0x1p-53;
}

int64_t Random::below(int64_t bound) {
  const auto n = static_cast<uint64_t>(bound);
  const uint64_t reject = (0 - n) % n;  // 2^64 mod n: what would make low values likelier
  uint64_t bits = 0;
  do {
    bits = static_cast<uint64_t>(word()) << 32;
    bits |= word();
  } while (bits < reject);
  return static_cast<int64_t>(bits % n);
}

double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2 * natural_log(1 - uniform()));
  const auto [c, s] = turn(uniform());
  spare_ = radius * s;
  has_spare_ = true;
  return radius * c;
}

void Random::fill_normal(std::span<float> out) {
  for (float& value : out) value = static_cast<float>(normal());
}

}  // namespace momap
