// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace momap::formats {

/// Portable float map of either byte order: f32 [H, W] ('Pf') or [H, W, 3] ('PF'), first row on
/// top. The scale's size is not applied, as the data sets that use the format mean it. Throws
/// DataError.
at::Tensor read_pfm(const std::filesystem::path& path);

}  // namespace momap::formats
