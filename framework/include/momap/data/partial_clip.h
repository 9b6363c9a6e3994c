// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace momap {

/// Why a point of a motion map is not seen in a frame. The first that applies counts.
enum class DropReason : int64_t {
  invalid,     ///< the map has no evidence for it
  unseen,      ///< the map says it is not visible, and the warper was asked to follow that
  not_finite,  ///< NaN or infinite coordinates
  behind,      ///< behind or on the camera
  outside,     ///< beside the image
  too_small,   ///< between pixel centres
  hidden,      ///< other points have all of its pixels
};

inline constexpr std::array kDropReasonNames{"invalid", "unseen",    "not_finite", "behind",
                                             "outside", "too_small", "hidden"};
inline constexpr auto kDropReasons = static_cast<int64_t>(kDropReasonNames.size());

/// What warping could draw of a video. Pixels that are not covered hold no meaning.
struct PartialClip {
  at::Tensor frames;   // u8 [T, H, W, 3], RGB
  at::Tensor covered;  // bool [T, H, W]
  at::Tensor depth;    // f32 [T, H, W], metres; meaningful where covered
  at::Tensor dropped;  // i64 [T, kDropReasons], points of the map that no pixel shows
  double fps = 0;      // 0 = unknown
};

}  // namespace momap
