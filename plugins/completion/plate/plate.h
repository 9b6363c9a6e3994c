// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/partial_clip.h>
#include <momap/stage/stage.h>

#include <cstdint>
#include <vector>

namespace momap::completion {

/// Power of depth by which far colours outweigh near ones.
inline constexpr int kBackgroundPreference = 4;

/// What a view that stands still would show where something went away. Elsewhere it shows frame 0.
struct Plate {
  std::vector<uint8_t> rgb;   // [H, W, 3]
  std::vector<float> depth;   // [H, W], metres
  std::vector<uint8_t> hole;  // [H, W], 1: not covered in some frame, so filled
  std::vector<uint8_t> sure;  // [H, W], 1: the same in all frames; of several, not beside a hole
};

/// Share of pixels covered in two frames in a row whose colour stays, over the whole clip; of those
/// where colours differ from place to place, unless there are next to none. Near 1 for a view that
/// stands still, 1 for a single frame.
double steadiness(const PartialClip& partial);

/// Continues what stays the same in all frames into the holes: each takes the colours that are
/// first met in 32 directions, the more the nearer and the deeper they lie. What is not farther
/// than that which left the hole cannot lie behind it and is passed over, as are pixels beside a
/// hole, whose colour may be mixed with what left.
///
/// Tensors are contiguous. Some pixel must be covered.
Plate make_plate(const PartialClip& partial, const Context& context);

}  // namespace momap::completion
