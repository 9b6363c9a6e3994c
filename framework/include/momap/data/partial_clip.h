// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace momap {

/// What warping could draw of a video. Pixels that are not covered hold no meaning.
struct PartialClip {
  at::Tensor frames;   // u8 [T, H, W, 3], RGB
  at::Tensor covered;  // bool [T, H, W]
  at::Tensor depth;    // f32 [T, H, W], metres; meaningful where covered
  at::Tensor
      dropped;     // i64 [T], points that were not drawn (behind the camera, outside, not finite)
  double fps = 0;  // 0 = unknown
};

}  // namespace momap
