// SPDX-License-Identifier: Apache-2.0
#include "map_examples.h"

#include <momap/base/error.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>

namespace momap {

MapExample MapExamples::example(int64_t i) const {
  const int64_t future = i % options_.futures;
  // Isolated: a step that waits for its own parallel work must not begin another example meanwhile.
  auto data = tbb::this_task_arena::isolate(
      [&] { return samples_.compute(i / options_.futures, future + 1, cancelled_).back(); });
  return {std::get<MoMap>(std::move(data[0].at(0))),
          Condition::from(std::get<Clip>(data[1].at(0)))};
}

void MapExamples::measure(const std::function<void(const MoMap&)>& measure,
                          const std::function<void(const std::string& why)>& failed) const {
  const int64_t count = std::min(options_.measured, samples_.size());
  for (int64_t n = 0; n < count; ++n) {
    if (cancelled_ && (*cancelled_)()) throw Cancelled();
    try {
      const int64_t sample = n * samples_.size() / count;
      measure(example(sample * options_.futures + n % options_.futures).momap);
    } catch (const DataError& error) {
      failed(error.what());
    }
  }
}

}  // namespace momap
