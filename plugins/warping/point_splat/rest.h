// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "rows.h"
#include "surface.h"

namespace momap::warping {

/// Which parts of a frame stand exactly as in the reference view. Seen by the reference camera,
/// points at rest among points at rest show their own pixels, and nothing has to be worked out.
class Rest {
 public:
  explicit Rest(const Reference& reference);

  /// Compares a frame f32 [H, W, 3] with frame 0, `first`; nullptr: nothing is at rest.
  void compare(const float* xyz, const float* first);

  /// Parts of row y whose footprints have to be drawn, those whose points have to be placed for
  /// that, and those that show their own pixels (of which some are placed for their neighbours).
  const std::vector<Range>& drawn(int64_t y) const { return rows_[y].drawn; }
  const std::vector<Range>& placed(int64_t y) const { return rows_[y].placed; }
  const std::vector<Range>& calm(int64_t y) const { return rows_[y].calm; }

  /// Of points in a part of row y: those with a depth in the reference view.
  int64_t points(int64_t y, Range part) const;

  /// Whether row y is placed at pixel x.
  bool is_placed(int64_t y, int64_t x) const { return placed_[y * segments_ + x / kSegment] != 0; }

  static constexpr int64_t kSegment = 64;  // px that are looked at together

 private:
  struct Row {
    std::vector<Range> drawn, placed, calm;
  };
  void grow(const std::vector<uint8_t>& from, std::vector<uint8_t>& to) const;
  std::vector<Range> ranges(const uint8_t* flags, uint8_t value) const;

  const Reference& reference_;
  int64_t segments_;
  std::vector<uint8_t> plain_;                    // [H, S] no point strays in frame 0
  std::vector<uint8_t> moving_, drawn_, placed_;  // [H, S]
  std::vector<Row> rows_;
};

}  // namespace momap::warping
