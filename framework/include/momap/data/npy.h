// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>

namespace momap {

/// The most memory one array may take when nothing else is said, bytes.
constexpr uint64_t kLargestNumpyArray = uint64_t{8} << 30;

/// Reads a NumPy .npy file (format 1 to 3; C or Fortran order; either byte order) into a contiguous
/// tensor with the array's shape.
///
/// Types: bool, u8, i8, i16, i32, i64, f16, f32, f64. Fixed bytes ('S', 'V') of n give u8 [..., n],
/// padded with zeros as stored. Object arrays are Python pickles and are never read. Throws
/// ConfigError with file, expected and found; nothing is allocated that the file does not fill.
at::Tensor read_npy(const std::filesystem::path& path, uint64_t limit_bytes = kLargestNumpyArray);

}  // namespace momap
