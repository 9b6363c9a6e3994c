// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/stage/stage.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace momap::metric {

/// Adds up `work(first, last)` over consecutive blocks of [0, count), which run in parallel. The
/// sum is taken in the order of the blocks, so it does not depend on the number of threads.
template <class Sum, class Work>
Sum sum_over_blocks(int64_t count, int64_t block, const Context& context, const Sum& zero,
                    const Work& work) {
  const int64_t blocks = (count + block - 1) / block;
  std::vector<Sum> parts(blocks, zero);
  tbb::parallel_for(int64_t{0}, blocks, [&](int64_t b) {
    context.check_cancelled();
    parts[b] = work(b * block, std::min(count, (b + 1) * block));
  });
  Sum sum = zero;
  for (const Sum& part : parts) sum += part;
  return sum;
}

/// A list of numbers that adds up element by element.
class Totals {
 public:
  explicit Totals(size_t size = 0) : values_(size) {}

  double& operator[](size_t i) { return values_[i]; }
  double operator[](size_t i) const { return values_[i]; }
  size_t size() const { return values_.size(); }

  Totals& operator+=(const Totals& other) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
    return *this;
  }

 private:
  std::vector<double> values_;
};

}  // namespace momap::metric
