// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>

namespace momap::metric {

/// Feature vectors, one a row.
using Features = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Mean and scatter of feature vectors, taken in batch by batch; its size is that of the features
/// squared, however many there are.
class FeatureMoments {
 public:
  int64_t count() const { return count_; }
  int64_t size() const { return mean_.size(); }
  const Eigen::VectorXd& mean() const { return mean_; }

  void add(const Features& batch) {
    if (batch.rows() == 0) return;
    const auto n = static_cast<double>(batch.rows()), before = static_cast<double>(count_);
    const Eigen::VectorXd mean = batch.colwise().mean();
    const Features centred = batch.rowwise() - mean.transpose();
    if (count_ == 0) {
      mean_ = Eigen::VectorXd::Zero(batch.cols());
      scatter_ = Eigen::MatrixXd::Zero(batch.cols(), batch.cols());
    }
    const Eigen::VectorXd step = mean - mean_;
    auto lower = scatter_.selfadjointView<Eigen::Lower>();
    lower.rankUpdate(centred.transpose());
    lower.rankUpdate(step, before * n / (before + n));
    mean_ += step * (n / (before + n));
    count_ += batch.rows();
  }

  /// Of at least two vectors.
  Eigen::MatrixXd covariance() const {
    return Eigen::MatrixXd(scatter_.selfadjointView<Eigen::Lower>()) /
           static_cast<double>(count_ - 1);
  }

 private:
  int64_t count_ = 0;
  Eigen::VectorXd mean_;
  Eigen::MatrixXd scatter_;  // lower half
};

/// Squared Frechet distance of the two Gaussians (Dowson and Landau 1982):
/// |m - n|^2 + tr(S) + tr(R) - 2 tr((S R)^1/2). The last trace is taken from the symmetric matrix
/// S^1/2 R S^1/2, which needs no eps on the diagonal when there are fewer vectors than dimensions.
inline double frechet_distance(const FeatureMoments& a, const FeatureMoments& b) {
  const Eigen::MatrixXd covariance_a = a.covariance(), covariance_b = b.covariance();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance_a);
  const Eigen::MatrixXd root = solver.eigenvectors() *
                               solver.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                               solver.eigenvectors().transpose();
  const Eigen::MatrixXd product = root * covariance_b * root;
  const Eigen::VectorXd squares =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(product, Eigen::EigenvaluesOnly).eigenvalues();
  const double distance = (a.mean() - b.mean()).squaredNorm() + covariance_a.trace() +
                          covariance_b.trace() - 2 * squares.cwiseMax(0).cwiseSqrt().sum();
  return std::max(0.0, distance);
}

/// The same from a few vectors of each, at least two: tr((S R)^1/2) is then the sum of the singular
/// values of a small matrix of products.
inline double frechet_distance(const Features& a, const Features& b) {
  const Eigen::RowVectorXd mean_a = a.colwise().mean(), mean_b = b.colwise().mean();
  const Features x = (a.rowwise() - mean_a) / std::sqrt(static_cast<double>(a.rows() - 1));
  const Features y = (b.rowwise() - mean_b) / std::sqrt(static_cast<double>(b.rows() - 1));
  const Eigen::MatrixXd products = x * y.transpose();
  const double roots = Eigen::BDCSVD<Eigen::MatrixXd>(products).singularValues().sum();
  return std::max(0.0,
                  (mean_a - mean_b).squaredNorm() + x.squaredNorm() + y.squaredNorm() - 2 * roots);
}

}  // namespace momap::metric
