// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <Eigen/Geometry>
#include <Eigen/LU>
#include <Eigen/SVD>
namespace momap::metric {

/// The rigid motion that best takes points p to points q in the least-squares sense (Kabsch 1976),
/// from sums over the pairs. Give points relative to somewhere near them, for precision.
class RigidFit {
 public:
  void add(const Eigen::Vector3d& p, const Eigen::Vector3d& q) {
    ++count_;
    sum_p_ += p;
    sum_q_ += q;
    products_ += p * q.transpose();
    squares_ += p.squaredNorm() + q.squaredNorm();
  }

  double count() const { return count_; }

  /// Of the points q from those of p.
  Eigen::Vector3d mean_displacement() const { return (sum_q_ - sum_p_) / count_; }

  Eigen::Matrix3d rotation() const {
    const auto svd = decomposed();
    return svd.matrixV() * turn(svd).asDiagonal() * svd.matrixU().transpose();
  }

  /// Sum over the points of squared distances that the rigid motion leaves, m^2.
  double squared_residual() const {
    const auto svd = decomposed();
    const double spread = squares_ - (sum_p_.squaredNorm() + sum_q_.squaredNorm()) / count_;
    const double left = spread - 2 * svd.singularValues().dot(turn(svd));
    return left < 0 ? 0 : left;  // rounding; but not-a-number stays
  }

 private:
  using Svd = Eigen::JacobiSVD<Eigen::Matrix3d>;

  Svd decomposed() const {
    const Eigen::Matrix3d covariance = products_ - sum_p_ * sum_q_.transpose() / count_;
    return Svd(covariance, Eigen::ComputeFullU | Eigen::ComputeFullV);
  }

  // Keeps the best orthogonal matrix from being a reflection.
  static Eigen::Vector3d turn(const Svd& svd) {
    return {1, 1, (svd.matrixV() * svd.matrixU().transpose()).determinant() < 0 ? -1.0 : 1.0};
  }

  double count_ = 0, squares_ = 0;
  Eigen::Vector3d sum_p_ = Eigen::Vector3d::Zero(), sum_q_ = Eigen::Vector3d::Zero();
  Eigen::Matrix3d products_ = Eigen::Matrix3d::Zero();
};

}  // namespace momap::metric
