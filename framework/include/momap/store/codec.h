// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace momap {

/// An encoded tensor says its type and shape itself. The formats are in
/// docs/guides/momap_database.md.
using EncodedTensor = std::vector<std::byte>;

/// Without loss: differences along dimension 0 (time), byte planes, zstd. For tensors of elements
/// of 1, 2 or 4 bytes (bool, u8, i32, f16, bf16, f32, ...); NaNs keep their bits.
EncodedTensor encode_lossless(const at::Tensor& tensor);

/// How far a decoded map is from the original: Euclidean distance of points, over valid pixels and
/// all frames.
struct MapError {
  double rmse_m = 0;
  double max_m = 0;
};

/// With a stated loss: cosine transform over time, quantisation, zstd. `xyz` f32 [T, H, W, 3];
/// pixels outside `valid` [H, W] are not kept (NaN after decoding). The error is at most
/// `max_rmse_m`: measured by decoding. Throws DataError for a map that is not finite where valid or
/// cannot be kept that well.
EncodedTensor encode_lossy(const at::Tensor& xyz, const at::Tensor& valid, double max_rmse_m,
                           MapError& error);

/// Reads either. Damaged bytes throw ConfigError that begins with `owner`; they never crash, and
/// never take more memory than `most_bytes` for the result.
at::Tensor decode(std::span<const std::byte> bytes, const std::string& owner, uint64_t most_bytes);

/// Distance of `xyz` from `original` over the pixels of `valid`.
MapError map_error(const at::Tensor& xyz, const at::Tensor& original, const at::Tensor& valid);

}  // namespace momap
