// SPDX-License-Identifier: Apache-2.0
#include "residual.h"

#include <cmath>
#include <limits>

namespace momap {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
constexpr double kNoShift = 1e-9;  // in the unit of length of the poses

float distance(const Camera& camera, const cv::Vec3d& p, const cv::Vec2d& seen) {
  if (!(p[2] > 0)) return kUnknown;
  return static_cast<float>(std::hypot(camera.fx * p[0] / p[2] + camera.cx - seen[0],
                                       camera.fy * p[1] / p[2] + camera.cy - seen[1]));
}

}  // namespace

cv::Mat motion_residual(const cv::Mat& flow, const Camera& camera, const cv::Matx44d& move,
                        const float* depth) {
  const cv::Matx33d turn = move.get_minor<3, 3>(0, 0);
  const cv::Vec3d shift(move(0, 3), move(1, 3), move(2, 3));
  const bool turns_only = cv::norm(shift) < kNoShift;
  const cv::Matx33d inverse(1 / camera.fx, 0, -camera.cx / camera.fx, 0, 1 / camera.fy,
                            -camera.cy / camera.fy, 0, 0, 1);
  const cv::Matx33d cross(0, -shift[2], shift[1], shift[2], 0, -shift[0], -shift[1], shift[0], 0);
  const cv::Matx33d fundamental = inverse.t() * cross * turn * inverse;
  cv::Mat out(flow.size(), CV_32F);
  for (int y = 0; y < flow.rows; ++y) {
    for (int x = 0; x < flow.cols; ++x) {
      const auto moved = flow.at<cv::Vec2f>(y, x);
      const cv::Vec2d seen(x + moved[0], y + moved[1]);
      const cv::Vec3d ray = inverse * cv::Vec3d(x, y, 1);
      float& residual = out.at<float>(y, x);
      if (depth) {
        const double z = depth[y * flow.cols + x];
        residual =
            z > 0 && std::isfinite(z) ? distance(camera, turn * (ray * z) + shift, seen) : kUnknown;
      } else if (turns_only) {
        residual = distance(camera, turn * ray, seen);
      } else {
        const cv::Vec3d a(x, y, 1), b(seen[0], seen[1], 1);
        const cv::Vec3d line = fundamental * a, back = fundamental.t() * b;
        const double slope = std::sqrt(line[0] * line[0] + line[1] * line[1] + back[0] * back[0] +
                                       back[1] * back[1]);
        residual = slope > 0 ? static_cast<float>(std::abs(b.dot(line)) / slope) : kUnknown;
      }
    }
  }
  return out;
}

}  // namespace momap
