// SPDX-License-Identifier: Apache-2.0
#include "noise.h"

#include <algorithm>
#include <cmath>

namespace momap {
namespace {

constexpr int64_t kStride = 8;                 // px
constexpr double kDeviationOfMedian = 1.4826;  // of a normal distribution
constexpr double kLikeDepth = 0.05;            // relative; others moved or are hidden
constexpr size_t kLeast = 16;                  // samples

double quantile(std::vector<double>& values, double share) {
  if (values.size() < kLeast) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

struct Static {
  int x, y;            // px, in frame 0
  double u, v;         // px, where it would be in frame t
  double expected, z;  // m, its depth there, and what the depth of frame t says
};

// Calls visit(Static) for the sampled points of frame 0 that frame t could show.
template <class Visit>
void each_static_point(const Evidence& evidence, size_t t, const Visit& visit) {
  const Camera& camera = evidence.camera;
  const cv::Matx44d& move = evidence.camera_from_first[t];
  for (int64_t y = 0; y < camera.height; y += kStride) {
    for (int64_t x = 0; x < camera.width; x += kStride) {
      const double z = evidence.depth[0][y * camera.width + x];
      if (!(z > 0 && std::isfinite(z))) continue;
      const cv::Vec4d p =
          move * cv::Vec4d((static_cast<double>(x) - camera.cx) / camera.fx * z,
                           (static_cast<double>(y) - camera.cy) / camera.fy * z, z, 1);
      if (!(p[2] > 0)) continue;
      const double u = camera.fx * p[0] / p[2] + camera.cx;
      const double v = camera.fy * p[1] / p[2] + camera.cy;
      if (!(u > -0.5 && v > -0.5 && u < static_cast<double>(camera.width) - 0.5 &&
            v < static_cast<double>(camera.height) - 0.5)) {
        continue;
      }
      const double seen = evidence.depth[t][std::lrint(v) * camera.width + std::lrint(u)];
      if (!(seen > 0 && std::isfinite(seen))) continue;
      visit(Static{static_cast<int>(x), static_cast<int>(y), u, v, p[2], seen});
    }
  }
}

}  // namespace

double depth_noise(const Evidence& evidence) {
  std::vector<double> errors;
  for (size_t t = 1; t < evidence.depth.size(); ++t) {
    each_static_point(evidence, t, [&](const Static& point) {
      errors.push_back(std::abs(point.z / point.expected - 1));
    });
  }
  return kDeviationOfMedian * quantile(errors, 0.5);
}

std::vector<double> place_noise(const Evidence& evidence) {
  std::vector<double> noise(evidence.depth.size(), 0);
  std::vector<double> misses;
  for (size_t t = 1; t < noise.size(); ++t) {
    const cv::Mat& flow = (t == 1 ? evidence.steps[0] : evidence.direct[t]).forward;
    if (flow.empty()) continue;
    misses.clear();
    each_static_point(evidence, t, [&](const Static& point) {
      if (std::abs(point.z - point.expected) > kLikeDepth * point.expected) return;
      const auto& moved = flow.at<cv::Point2f>(point.y, point.x);
      misses.push_back(std::hypot(point.x + moved.x - point.u, point.y + moved.y - point.v));
    });
    noise[t] = quantile(misses, 0.25);
  }
  return noise;
}

}  // namespace momap
