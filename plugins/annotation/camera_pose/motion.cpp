// SPDX-License-Identifier: Apache-2.0
#include "motion.h"

#include <algorithm>
#include <cmath>
#include <opencv2/calib3d.hpp>

namespace momap {
namespace {

constexpr double kConfidence = 0.9999;
constexpr int kIterations = 2000;
constexpr size_t kMostDrawn = 256;  // points a random pose is tried on; all refine it

cv::Matx44d rigid(const cv::Matx33d& rotation, const cv::Vec3d& translation) {
  return {rotation(0, 0),
          rotation(0, 1),
          rotation(0, 2),
          translation[0],
          rotation(1, 0),
          rotation(1, 1),
          rotation(1, 2),
          translation[1],
          rotation(2, 0),
          rotation(2, 1),
          rotation(2, 2),
          translation[2],
          0,
          0,
          0,
          1};
}

cv::Point2d project(const cv::Matx33d& k, const cv::Vec3d& point) {
  return {k(0, 0) * point[0] / point[2] + k(0, 2), k(1, 1) * point[1] / point[2] + k(1, 2)};
}

cv::Vec3d ray_of(const cv::Matx33d& k, const cv::Point2d& pixel) {
  return cv::normalize(cv::Vec3d((pixel.x - k(0, 2)) / k(0, 0), (pixel.y - k(1, 2)) / k(1, 1), 1));
}

// The closest rotation (Frobenius) to a matrix.
cv::Matx33d nearest_rotation(const cv::Matx33d& m) {
  const cv::SVD svd{cv::Mat(m)};
  cv::Matx33d u(svd.u.ptr<double>()), vt(svd.vt.ptr<double>());
  const double sign = cv::determinant(u * vt) < 0 ? -1 : 1;
  return u * cv::Matx33d::diag({1, 1, sign}) * vt;
}

template <class T>
std::vector<T> selected(const std::vector<T>& values, const std::vector<uint8_t>& keep) {
  std::vector<T> out;
  for (size_t i = 0; i < values.size(); ++i) {
    if (keep[i]) out.push_back(values[i]);
  }
  return out;
}

int count(const std::vector<uint8_t>& flags) {
  return static_cast<int>(std::count_if(flags.begin(), flags.end(), [](uint8_t f) { return f; }));
}

// PnP by RANSAC, then least squares on the inliers.
std::optional<Motion> solve_pnp(const std::vector<cv::Point3d>& points,
                                const std::vector<cv::Point2d>& seen, const Camera& camera,
                                double tolerance_px, double widest_px, int least_inliers) {
  if (static_cast<int>(points.size()) < std::max(least_inliers, 6)) return std::nullopt;
  const cv::Matx33d k = matrix_of(camera);
  cv::Vec3d turn, shift;
  std::vector<int> support;
  const size_t stride = (points.size() + kMostDrawn - 1) / kMostDrawn;
  std::vector<cv::Point3d> drawn;
  std::vector<cv::Point2d> drawn_seen;
  for (size_t i = 0; i < points.size(); i += stride) {
    drawn.push_back(points[i]);
    drawn_seen.push_back(seen[i]);
  }
  try {
    if (!cv::solvePnPRansac(drawn, drawn_seen, k, cv::noArray(), turn, shift, false, kIterations,
                            static_cast<float>(tolerance_px), kConfidence, support,
                            cv::SOLVEPNP_AP3P)) {
      return std::nullopt;
    }
  } catch (const cv::Exception&) {  // degenerate points, for example all on one line
    return std::nullopt;
  }
  Motion motion;
  motion.inlier.assign(points.size(), 0);
  for (const int i : support) motion.inlier[stride * static_cast<size_t>(i)] = 1;
  // Least squares moves the pose, which moves the set of inliers; a few rounds settle both. The
  // last ones take in all points within the noise that the first ones leave.
  double gate_px = tolerance_px;
  for (int round = 0; round < 5; ++round) {
    const int least = round == 0 ? 4 : std::max(least_inliers / 2, 4);  // at first of those drawn
    if (count(motion.inlier) < least) return std::nullopt;
    cv::solvePnPRefineLM(selected(points, motion.inlier), selected(seen, motion.inlier), k,
                         cv::noArray(), turn, shift);
    cv::Matx33d rotation;
    cv::Rodrigues(turn, rotation);
    motion.second_from_first = rigid(rotation, shift);
    std::vector<double> residual_px;
    for (size_t i = 0; i < points.size(); ++i) {
      const cv::Vec3d at = rotation * cv::Vec3d(points[i].x, points[i].y, points[i].z) + shift;
      const double residual = at[2] > 0 ? cv::norm(project(k, at) - seen[i]) : widest_px + 1;
      motion.inlier[i] = residual <= gate_px;
      if (residual <= widest_px) residual_px.push_back(residual);
    }
    if (round == 1) {
      if (count(motion.inlier) < least_inliers) return std::nullopt;
      const auto middle = residual_px.begin() + static_cast<std::ptrdiff_t>(residual_px.size() / 2);
      std::nth_element(residual_px.begin(), middle, residual_px.end());
      gate_px = std::min(widest_px, std::max(tolerance_px, 3 * *middle));
    }
  }
  motion.inliers = count(motion.inlier);
  const bool finite = std::all_of(motion.second_from_first.val, motion.second_from_first.val + 16,
                                  [](double v) { return std::isfinite(v); });
  if (!finite || motion.inliers < least_inliers) return std::nullopt;
  return motion;
}

}  // namespace

cv::Matx33d matrix_of(const Camera& camera) {
  return {camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1};
}

std::optional<Motion> motion_from_points(const std::vector<cv::Point3d>& points,
                                         const std::vector<cv::Point2d>& seen, const Camera& camera,
                                         double ransac_px, int least_inliers) {
  std::optional<Motion> widest =
      solve_pnp(points, seen, camera, ransac_px, ransac_px, least_inliers);
  if (!widest) return std::nullopt;
  // A thing that moves like the camera fits a wrong pose within a wide tolerance. The tightest one
  // that keeps most of the support is that of the tracks' own noise, and tells it apart.
  constexpr double kMost = 0.6;
  const int enough = std::max(least_inliers, static_cast<int>(kMost * widest->inliers));
  for (const double share : {0.125, 0.25, 0.5}) {
    auto tight = solve_pnp(points, seen, camera, share * ransac_px, ransac_px, enough);
    if (tight) return tight;
  }
  return widest;
}

std::optional<Motion> rotation_from_matches(const std::vector<cv::Point2d>& first,
                                            const std::vector<cv::Point2d>& second,
                                            const Camera& camera, double ransac_px,
                                            int least_inliers) {
  if (static_cast<int>(first.size()) < std::max(least_inliers, 4)) return std::nullopt;
  const cv::Matx33d k = matrix_of(camera);
  Motion motion;
  const cv::Mat homography = cv::findHomography(first, second, cv::RANSAC, ransac_px, motion.inlier,
                                                kIterations, kConfidence);
  if (homography.empty()) return std::nullopt;
  // For a turning camera the homography is K R K^-1 up to a factor of either sign.
  cv::Matx33d start = k.inv() * cv::Matx33d(homography.ptr<double>()) * k;
  if (cv::determinant(start) < 0) start = start * -1.0;
  cv::Matx33d rotation = nearest_rotation(start);
  for (int round = 0; round < 5; ++round) {
    for (size_t i = 0; i < first.size(); ++i) {
      const cv::Vec3d ray = rotation * ray_of(k, first[i]);
      motion.inlier[i] = ray[2] > 0 && cv::norm(project(k, ray) - second[i]) <= ransac_px;
    }
    motion.inliers = count(motion.inlier);
    if (motion.inliers < least_inliers) return std::nullopt;
    cv::Matx33d correlation = cv::Matx33d::zeros();
    for (size_t i = 0; i < first.size(); ++i) {
      if (motion.inlier[i]) correlation += ray_of(k, second[i]) * ray_of(k, first[i]).t();
    }
    rotation = nearest_rotation(correlation);
  }
  motion.second_from_first = rigid(rotation, {0, 0, 0});
  return motion;
}

std::optional<TwoView> two_view(const std::vector<cv::Point2d>& first,
                                const std::vector<cv::Point2d>& second, const Camera& camera,
                                double ransac_px, int least_inliers) {
  if (static_cast<int>(first.size()) < std::max(least_inliers, 6)) return std::nullopt;
  const cv::Matx33d k = matrix_of(camera);
  std::vector<uint8_t> support;
  const cv::Mat essential = cv::findEssentialMat(first, second, k, cv::RANSAC, kConfidence,
                                                 ransac_px, kIterations, support);
  if (essential.rows != 3 || essential.cols != 3) return std::nullopt;
  cv::Matx33d rotation;
  cv::Vec3d shift;
  cv::Mat homogeneous;                // f64 [4, N]
  constexpr double kFarthest = 1000;  // baselines
  cv::recoverPose(essential, first, second, k, rotation, shift, kFarthest, support, homogeneous);
  TwoView view;
  view.motion.second_from_first = rigid(rotation, shift);
  view.motion.inlier.assign(first.size(), 0);
  view.points.assign(first.size(), {0, 0, 0});
  for (size_t i = 0; i < first.size(); ++i) {
    const cv::Vec4d h = homogeneous.col(static_cast<int>(i));
    const cv::Vec3d point(h[0] / h[3], h[1] / h[3], h[2] / h[3]);
    const cv::Vec3d other = rotation * point + shift;
    const bool good = support[i] && point[2] > 0 && other[2] > 0 &&
                      cv::norm(project(k, point) - first[i]) <= ransac_px &&
                      cv::norm(project(k, other) - second[i]) <= ransac_px;
    if (!good) continue;
    view.motion.inlier[i] = 1;
    view.points[i] = {point[0], point[1], point[2]};
  }
  view.motion.inliers = count(view.motion.inlier);
  if (view.motion.inliers < least_inliers) return std::nullopt;
  return view;
}

}  // namespace momap
