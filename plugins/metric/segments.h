// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "futures.h"

namespace momap::metric {

/// The valid pixels of each object of the reference clip, without the background (id 0); empty when
/// the clip has no segments.
inline std::map<int32_t, std::vector<int64_t>> object_pixels(const Inputs& inputs,
                                                             const Futures& futures,
                                                             std::string_view owner) {
  std::map<int32_t, std::vector<int64_t>> pixels;
  const auto& segments = inputs.get<Clip>("reference")->segments;
  if (!segments) return pixels;
  if (segments->scalar_type() != at::kInt || segments->dim() != 2 ||
      segments->size(0) != futures.height() || segments->size(1) != futures.width()) {
    throw DataError(fmt::format("{}: segments of the reference are {} {}; expected i32 [{}, {}]",
                                owner, at::toString(segments->scalar_type()),
                                segments->sizes().vec(), futures.height(), futures.width()));
  }
  const at::Tensor dense = segments->contiguous();
  for (int64_t i = 0; i < futures.pixels(); ++i) {
    const int32_t id = dense.data_ptr<int32_t>()[i];
    if (id != 0 && futures.valid(i)) pixels[id].push_back(i);
  }
  return pixels;
}

}  // namespace momap::metric
