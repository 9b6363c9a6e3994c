// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Eigenvalues>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "rigid_fit.h"
#include "segments.h"

namespace momap::metric {

// Below these a part does not move and has no axis.
inline constexpr double kLeastTurn = std::numbers::pi / 180;  // radians
inline constexpr double kLeastSlide = 0.005;                  // m

/// The axis about which (hinge) or along which (slide) sample k moves these pixels, of unit length;
/// none when it does not move them. The axis is the main direction of the rotation vectors, or of
/// the mean displacements, over all later frames.
inline std::optional<Eigen::Vector3d> fitted_axis(const Futures& futures, size_t k,
                                                  const std::vector<int64_t>& pixels,
                                                  Joint::Kind kind) {
  const auto at = [&](int64_t t, int64_t i) -> Eigen::Vector3d {
    return Eigen::Map<const Eigen::Vector3f>(futures.sample_at(k, t, i)).cast<double>();
  };
  Eigen::Matrix3d scatter = Eigen::Matrix3d::Zero();
  double most = 0;
  const Eigen::Vector3d origin = at(0, pixels[0]);
  for (int64_t t = 1; t < futures.frames(); ++t) {
    RigidFit fit;
    for (const int64_t i : pixels) fit.add(at(0, i) - origin, at(t, i) - origin);
    Eigen::Vector3d motion = fit.mean_displacement();
    if (!motion.allFinite()) futures.refuse_not_finite();
    if (kind == Joint::Kind::hinge) {
      const Eigen::AngleAxisd turn(fit.rotation());
      motion = turn.angle() * turn.axis();
    }
    most = std::max(most, motion.norm());
    scatter += motion * motion.transpose();
  }
  if (most < (kind == Joint::Kind::hinge ? kLeastTurn : kLeastSlide)) return std::nullopt;
  return Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d>(scatter).eigenvectors().col(2);
}

/// Angle between two axes, whatever their signs: 0 to 90 degrees.
inline double angle_between(const Eigen::Vector3d& axis, const std::array<double, 3>& other) {
  const Eigen::Vector3d truth(other.data());
  // Better than the arc cosine of their product where they nearly agree.
  return std::atan2(axis.cross(truth).norm(), std::abs(axis.dot(truth))) * 180 / std::numbers::pi;
}

}  // namespace momap::metric
