// SPDX-License-Identifier: Apache-2.0
#include <momap/train/encoding.h>

#include "example_losses.h"

namespace momap {

at::Tensor EncodingLesson::loss(const std::vector<Slot>& slots, const SkipExample& skip) const {
  return sum_of_losses(slots, skip, [&](const Slot& slot) {
    const MapExample example = set_.example(slot.item);
    return encoding_.loss(example.momap, example.condition, slot.seed);
  });
}

}  // namespace momap
