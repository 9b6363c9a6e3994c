// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <Eigen/Geometry>
#include <array>
#include <filesystem>
#include <vector>

namespace momap::formats {

/// 16 numbers, row by row, as a rigid motion. Data sets write rotations as short text: one that is
/// off by up to 1e-2 is replaced by the nearest rotation. Throws DataError naming `path` for
/// anything else.
Eigen::Isometry3d rigid_motion(const double* row_major, const std::filesystem::path& path);

/// A rotation as unit quaternion and a translation. Throws DataError when its length is not 1
/// within 1e-2.
Eigen::Isometry3d rigid_motion(const std::array<double, 4>& wxyz, const std::array<double, 3>& t,
                               const std::filesystem::path& path);

/// f64 [T, 4, 4].
at::Tensor pose_tensor(const std::vector<Eigen::Isometry3d>& poses);

}  // namespace momap::formats
