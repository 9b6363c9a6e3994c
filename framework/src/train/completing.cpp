// SPDX-License-Identifier: Apache-2.0
#include <momap/train/completing.h>

#include "example_losses.h"

namespace momap {

at::Tensor CompletingLesson::loss(const std::vector<Slot>& slots, const SkipExample& skip) const {
  return sum_of_losses(slots, skip, [&](const Slot& slot) {
    const HoleExample example = set_.example(slot.item);
    return completer_.loss(example.partial, example.truth, slot.seed);
  });
}

}  // namespace momap
