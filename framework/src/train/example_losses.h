// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <momap/base/error.h>
#include <momap/train/lesson.h>

namespace momap {

/// Sum of `loss_of(slot)` over examples that go through the network one at a time; those that throw
/// DataError are told to `skip`.
template <class LossOf>
at::Tensor sum_of_losses(const std::vector<Slot>& slots, const SkipExample& skip, LossOf loss_of) {
  at::Tensor sum;
  for (const Slot& slot : slots) {
    try {
      const at::Tensor loss = loss_of(slot);
      if (loss.defined()) sum = sum.defined() ? sum + loss : loss;
    } catch (const DataError& error) {
      if (!skip) throw;
      skip(slot.item, error.what());
    }
  }
  return sum;
}

}  // namespace momap
