// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace momap::network {

/// silu(group_norm(x)) in one pass, differentiable: x [B, C, ...], weight and bias [C].
at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias, double epsilon);

}  // namespace momap::network
