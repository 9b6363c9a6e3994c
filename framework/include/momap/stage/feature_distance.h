// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace momap {

/// Distance of what a network sees, for perceptual losses: the mean over space of the squared
/// difference between features f32 [B, C, h, w] of unit length (Zhang et al. 2018, LPIPS without
/// learned weights), the mean over the layers; [B], differentiable.
at::Tensor feature_distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b);

}  // namespace momap
