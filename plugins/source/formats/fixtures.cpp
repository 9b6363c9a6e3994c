// SPDX-License-Identifier: Apache-2.0
#include "fixtures.h"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

namespace momap::testing {
namespace {

using Matrix = Eigen::Matrix<double, 4, 4, Eigen::RowMajor>;

double grey_at(const uint8_t* rgb, int64_t width, double x, double y) {
  const auto x0 = static_cast<int64_t>(x), y0 = static_cast<int64_t>(y);
  const double a = x - static_cast<double>(x0), b = y - static_cast<double>(y0);
  const auto grey = [&](int64_t px, int64_t py) {
    const uint8_t* p = rgb + 3 * (py * width + px);
    return (p[0] + p[1] + p[2]) / 3.0;
  };
  return (1 - b) * ((1 - a) * grey(x0, y0) + a * grey(x0 + 1, y0)) +
         b * ((1 - a) * grey(x0, y0 + 1) + a * grey(x0 + 1, y0 + 1));
}

}  // namespace

Photometric photometric(const Clip& clip, int64_t t) {
  const int64_t height = clip.height(), width = clip.width(), pixels = height * width;
  const uint8_t* now = clip.frames.data_ptr<uint8_t>() + 3 * t * pixels;
  const uint8_t* next = now + 3 * pixels;
  const float* flow = clip.flow->data_ptr<float>() + 2 * t * pixels;
  const bool* hidden = clip.occluded ? clip.occluded->data_ptr<bool>() + t * pixels : nullptr;
  Photometric sum;
  int64_t count = 0;
  for (int64_t y = 0; y < height - 1; ++y) {
    for (int64_t x = 0; x < width - 1; ++x) {
      const int64_t i = y * width + x;
      const double u = static_cast<double>(x) + flow[2 * i];
      const double v = static_cast<double>(y) + flow[2 * i + 1];
      const bool inside = u >= 0 && v >= 0 && u < static_cast<double>(width - 1) &&
                          v < static_cast<double>(height - 1);
      if (!inside || (hidden && hidden[i])) continue;
      const double here = grey_at(now, width, static_cast<double>(x), static_cast<double>(y));
      sum.with_flow += std::abs(grey_at(next, width, u, v) - here);
      sum.without_flow +=
          std::abs(grey_at(next, width, static_cast<double>(x), static_cast<double>(y)) - here);
      ++count;
    }
  }
  const auto n = static_cast<double>(std::max<int64_t>(1, count));
  return {sum.with_flow / n, sum.without_flow / n};
}

double depth_residual(const Clip& clip, int64_t from, int64_t to) {
  const int64_t height = clip.height(), width = clip.width(), pixels = height * width;
  const Camera& k = *clip.camera;
  const auto pose = [&](int64_t t) {
    return Eigen::Isometry3d(Eigen::Matrix4d(
        Eigen::Map<const Matrix>(clip.cam_from_world->data_ptr<double>() + 16 * t)));
  };
  const Eigen::Isometry3d to_from = pose(to) * pose(from).inverse();
  const float* z_from = clip.depth->data_ptr<float>() + from * pixels;
  const float* z_to = clip.depth->data_ptr<float>() + to * pixels;
  std::vector<double> residuals;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const double z = z_from[y * width + x];
      if (!(z > 0)) continue;
      const Eigen::Vector3d p =
          to_from * Eigen::Vector3d((static_cast<double>(x) - k.cx) / k.fx * z,
                                    (static_cast<double>(y) - k.cy) / k.fy * z, z);
      const auto u = std::lround(k.fx * p.x() / p.z() + k.cx);
      const auto v = std::lround(k.fy * p.y() / p.z() + k.cy);
      if (!(p.z() > 0) || u < 0 || v < 0 || u >= width || v >= height) continue;
      const double seen = z_to[v * width + u];
      if (seen > 0 && std::abs(seen - p.z()) < 0.05 * p.z()) {
        residuals.push_back(std::abs(seen - p.z()));
      }
    }
  }
  if (residuals.empty()) return std::nan("");
  const auto middle = residuals.begin() + static_cast<std::ptrdiff_t>(residuals.size() / 2);
  std::nth_element(residuals.begin(), middle, residuals.end());
  return *middle;
}

}  // namespace momap::testing
