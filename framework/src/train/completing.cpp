// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <momap/base/error.h>
#include <momap/train/completing.h>

namespace momap {

at::Tensor CompletingLesson::loss(const std::vector<Slot>& slots, const SkipExample& skip) const {
  at::Tensor sum;
  for (const Slot& slot : slots) {
    try {
      const HoleExample example = set_.example(slot.item);
      const at::Tensor loss = completer_.loss(example.partial, example.truth, slot.seed);
      if (loss.defined()) sum = sum.defined() ? sum + loss : loss;
    } catch (const DataError& error) {
      if (!skip) throw;
      skip(slot.item, error.what());
    }
  }
  return sum;
}

}  // namespace momap
