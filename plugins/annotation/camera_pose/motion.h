// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/camera.h>

#include <opencv2/core/matx.hpp>
#include <opencv2/core/types.hpp>
#include <optional>
#include <vector>

// Rigid motion of a camera from corresponding points. Everything is deterministic: OpenCV's RANSAC
// seeds a generator of its own with a constant at each call.

namespace momap {

struct Motion {
  cv::Matx44d second_from_first = cv::Matx44d::eye();
  std::vector<uint8_t> inlier;  // by point
  int inliers = 0;
};

cv::Matx33d matrix_of(const Camera& camera);

/// Points known in 3D (camera 1) and seen in image 2: PnP by RANSAC with a tolerance of
/// `ransac_px`, or less where less keeps most of the support, then least squares on the inliers.
/// Nothing when fewer than `least_inliers` agree.
std::optional<Motion> motion_from_points(const std::vector<cv::Point3d>& points,
                                         const std::vector<cv::Point2d>& seen, const Camera& camera,
                                         double ransac_px, int least_inliers);

/// Points seen in both images, camera turning on the spot: the rotation with the most support.
std::optional<Motion> rotation_from_matches(const std::vector<cv::Point2d>& first,
                                            const std::vector<cv::Point2d>& second,
                                            const Camera& camera, double ransac_px,
                                            int least_inliers);

/// Points seen in both images, camera moving: rotation and unit translation from the essential
/// matrix, and the inliers' points in camera 1 (at that scale; z = 0 where not an inlier).
struct TwoView {
  Motion motion;
  std::vector<cv::Point3d> points;
};
std::optional<TwoView> two_view(const std::vector<cv::Point2d>& first,
                                const std::vector<cv::Point2d>& second, const Camera& camera,
                                double ransac_px, int least_inliers);

}  // namespace momap
