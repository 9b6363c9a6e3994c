// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace momap::network {

/// Whether `small_attention` is made for these (see there): few keys, float32 on the CPU.
bool is_small_attention(const at::Tensor& q, const at::Tensor& k, int64_t heads);

/// softmax(q k^T / sqrt(width of a head)) v over `heads` heads, differentiable; q [B, N, C], k and
/// v [B, L, C] -> [B, N, C]. A head at a time, without a matrix of scores: where heads are small,
/// calls of a BLAS cost more than what they compute.
at::Tensor small_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           int64_t heads);

}  // namespace momap::network
