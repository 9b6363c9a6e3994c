// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace momap::formats {

/// Middlebury .flo: f32 [H, W, 2], px (u right, v down); unknown (> 1e9, NaN, infinite) is NaN.
at::Tensor read_flo(const std::filesystem::path& path);

/// DeepDeform .oflow: f32 [H, W, 2], px; invalid (-inf) is NaN.
at::Tensor read_oflow(const std::filesystem::path& path);

/// DeepDeform .sflow: f32 [H, W, 3], metres, target minus source point; invalid (-inf) is NaN.
at::Tensor read_sflow(const std::filesystem::path& path);

/// KITTI flow: 16-bit RGB png, u and v = (value - 32768) / 64 px, blue = known. f32 [H, W, 2];
/// unknown is NaN.
at::Tensor read_kitti_flow(const std::filesystem::path& path);

/// KITTI disparity: 16-bit grey png, value / 256 px, 0 = unknown. f32 [H, W]; unknown is NaN.
at::Tensor read_kitti_disparity(const std::filesystem::path& path);

}  // namespace momap::formats
