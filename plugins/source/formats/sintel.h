// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/camera.h>

#include <Eigen/Geometry>
#include <filesystem>

namespace momap::formats {

/// MPI-Sintel .dpt: depth along z, f32 [H, W]; not positive or not finite is unknown: 0.
at::Tensor read_dpt(const std::filesystem::path& path);

/// MPI-Sintel .cam.
struct SintelCamera {
  Camera camera;  // without size, which the file does not tell
  Eigen::Isometry3d cam_from_world;
};
SintelCamera read_cam(const std::filesystem::path& path);

}  // namespace momap::formats
