// SPDX-License-Identifier: Apache-2.0
#include "rest.h"

#include <algorithm>
#include <cstring>

namespace momap::warping {

Rest::Rest(const Reference& reference)
    : reference_(reference),
      segments_((reference.width + kSegment - 1) / kSegment),
      plain_(reference.height * segments_, 1),
      moving_(reference.height * segments_),
      drawn_(reference.height * segments_),
      placed_(reference.height * segments_),
      rows_(reference.height) {
  for (int64_t y = 0; y < reference.height; ++y) {
    for (int64_t x = 0; x < reference.width; ++x) {
      const int64_t i = y * reference.width + x;
      if (reference.strays[i]) plain_[y * segments_ + x / kSegment] = 0;
    }
  }
}

void Rest::compare(const float* xyz, const float* first) {
  for (int64_t y = 0; y < reference_.height; ++y) {
    for (int64_t s = 0; s < segments_; ++s) {
      const int64_t begin = y * reference_.width + s * kSegment;
      const int64_t count = std::min(kSegment, reference_.width - s * kSegment);
      const size_t bytes = static_cast<size_t>(count) * 3 * sizeof *xyz;
      const int64_t at = y * segments_ + s;
      moving_[at] =
          !first || !plain_[at] || std::memcmp(xyz + 3 * begin, first + 3 * begin, bytes) != 0;
    }
  }
  grow(moving_, drawn_);
  grow(drawn_, placed_);
  for (int64_t y = 0; y < reference_.height; ++y) {
    const int64_t row = y * segments_;
    rows_[y] = {ranges(&drawn_[row], 1), ranges(&placed_[row], 1), ranges(&drawn_[row], 0)};
  }
}

// What is set in `from`, and its neighbours.
void Rest::grow(const std::vector<uint8_t>& from, std::vector<uint8_t>& to) const {
  for (int64_t y = 0; y < reference_.height; ++y) {
    for (int64_t s = 0; s < segments_; ++s) {
      uint8_t any = 0;
      for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, reference_.height - 1);
           ++v) {
        for (int64_t u = std::max<int64_t>(s - 1, 0); u <= std::min(s + 1, segments_ - 1); ++u) {
          any |= from[v * segments_ + u];
        }
      }
      to[y * segments_ + s] = any;
    }
  }
}

std::vector<Range> Rest::ranges(const uint8_t* flags, uint8_t value) const {
  std::vector<Range> out;
  for (int64_t s = 0; s < segments_; ++s) {
    if (flags[s] != value) continue;
    const int64_t begin = s * kSegment, end = std::min(begin + kSegment, reference_.width);
    if (!out.empty() && out.back().end == begin) {
      out.back().end = end;
    } else {
      out.push_back({begin, end});
    }
  }
  return out;
}

int64_t Rest::points(int64_t y, Range part) const {
  const float* depth = reference_.depth.data() + y * reference_.width;
  int32_t count = 0;
  for (int64_t x = part.begin; x < part.end; ++x) count += depth[x] > 0 ? 1 : 0;
  return count;
}

}  // namespace momap::warping
