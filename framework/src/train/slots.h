// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/train/lesson.h>

#include <vector>

namespace momap {

/// The slots of a step: every example once an epoch in an order of its own, noise levels spread
/// evenly over [0, 1).
std::vector<Slot> slots_of_step(uint64_t seed, int64_t step, int64_t batch, int64_t items);

}  // namespace momap
