// SPDX-License-Identifier: Apache-2.0
#include "slots.h"

#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>

#include <cmath>
#include <numeric>

namespace momap {

std::vector<Slot> slots_of_step(uint64_t seed, int64_t step, int64_t batch, int64_t items) {
  std::vector<Slot> slots;
  const double offset = Random(derived_seed(seed, fmt::format("noise level {}", step))).uniform();
  std::vector<int64_t> order(static_cast<size_t>(items));
  int64_t ordered_epoch = -1;
  for (int64_t i = 0; i < batch; ++i) {
    const int64_t position = step * batch + i;
    if (const int64_t epoch = position / items; epoch != ordered_epoch) {
      std::iota(order.begin(), order.end(), 0);
      Random random(derived_seed(seed, fmt::format("epoch {}", epoch)));
      for (int64_t k = items - 1; k > 0; --k) std::swap(order[k], order[random.below(k + 1)]);
      ordered_epoch = epoch;
    }
    const double level = offset + static_cast<double>(i) / static_cast<double>(batch);
    slots.push_back({order[position % items],
                     derived_seed(seed, fmt::format("step {} slot {}", step, i)),
                     level - std::floor(level)});
  }
  return slots;
}

}  // namespace momap
