// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/condition.h>

namespace vae {

/// Logarithm of depth against the median, share of known depth, and three numbers that tell
/// segments apart.
inline constexpr int64_t kGuideChannels = 5;

/// What of a scene tells the decoder where surfaces end, f32 [1, kGuideChannels, H, W].
at::Tensor scene_guide(const momap::Condition& condition);

}  // namespace vae
