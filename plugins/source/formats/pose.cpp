// SPDX-License-Identifier: Apache-2.0
#include "pose.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <Eigen/SVD>
#include <cmath>

namespace momap::formats {
namespace {

constexpr double kTolerance = 1e-2;

}  // namespace

Eigen::Isometry3d rigid_motion(const double* row_major, const std::filesystem::path& path) {
  const Eigen::Matrix4d given =
      Eigen::Map<const Eigen::Matrix<double, 4, 4, Eigen::RowMajor>>(row_major);
  const Eigen::Matrix3d rotation = given.topLeftCorner<3, 3>();
  const bool rigid =
      given.allFinite() &&
      (rotation.transpose() * rotation - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff() <=
          kTolerance &&
      rotation.determinant() > 0 &&
      (given.row(3) - Eigen::RowVector4d(0, 0, 0, 1)).cwiseAbs().maxCoeff() <= 1e-6;
  if (!rigid) {
    throw DataError(fmt::format(
        "{}: the pose [{}] is not a rigid motion; expected a rotation without mirror, a "
        "translation and the last row 0 0 0 1",
        shown(path), fmt::join(row_major, row_major + 16, ", ")));
  }
  const Eigen::JacobiSVD<Eigen::Matrix3d> svd(rotation, Eigen::ComputeFullU | Eigen::ComputeFullV);
  Eigen::Isometry3d out = Eigen::Isometry3d::Identity();
  out.linear() = svd.matrixU() * svd.matrixV().transpose();
  out.translation() = given.topRightCorner<3, 1>();
  return out;
}

Eigen::Isometry3d rigid_motion(const std::array<double, 4>& wxyz, const std::array<double, 3>& t,
                               const std::filesystem::path& path) {
  const Eigen::Quaterniond rotation(wxyz[0], wxyz[1], wxyz[2], wxyz[3]);
  const Eigen::Vector3d translation(t[0], t[1], t[2]);
  if (!(std::abs(rotation.norm() - 1) <= kTolerance) || !translation.allFinite()) {
    throw DataError(fmt::format(
        "{}: the pose has quaternion (w x y z) = {} and translation {}; expected a unit quaternion "
        "and finite numbers",
        shown(path), fmt::join(wxyz, " "), fmt::join(t, " ")));
  }
  Eigen::Isometry3d out = Eigen::Isometry3d::Identity();
  out.linear() = rotation.normalized().toRotationMatrix();
  out.translation() = translation;
  return out;
}

at::Tensor pose_tensor(const std::vector<Eigen::Isometry3d>& poses) {
  at::Tensor out = at::empty({static_cast<int64_t>(poses.size()), 4, 4}, at::kDouble);
  double* values = out.data_ptr<double>();
  for (const auto& pose : poses) {
    Eigen::Map<Eigen::Matrix<double, 4, 4, Eigen::RowMajor>> matrix(values);
    matrix = pose.matrix();
    values += 16;
  }
  return out;
}

}  // namespace momap::formats
