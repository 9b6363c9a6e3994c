// SPDX-License-Identifier: Apache-2.0
#include "truth.h"

#include <ATen/ops/empty.h>
#include <momap/data/geometry.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace momap::formats {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kLargestStep = 1.02;  // ratio of neighbouring depths on one surface

bool known_depth(float z) { return z > 0 && std::isfinite(z); }

// Inverse depth between four pixels, turned back; NaN at edges and beside unknown depth.
float depth_at(const float* depth, int64_t height, int64_t width, double u, double v) {
  if (!(u >= 0 && v >= 0 && u <= static_cast<double>(width - 1) &&
        v <= static_cast<double>(height - 1))) {
    return kNan;
  }
  const auto x0 = static_cast<int64_t>(u), y0 = static_cast<int64_t>(v);
  const int64_t x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
  const double a = u - static_cast<double>(x0), b = v - static_cast<double>(y0);
  const float z[4] = {depth[y0 * width + x0], depth[y0 * width + x1], depth[y1 * width + x0],
                      depth[y1 * width + x1]};
  if (!std::all_of(z, z + 4, known_depth)) return kNan;
  const auto [nearest, farthest] = std::minmax_element(z, z + 4);
  if (*farthest > kLargestStep * *nearest) return kNan;
  const double inverse = (1 - b) * ((1 - a) / z[0] + a / z[1]) + b * ((1 - a) / z[2] + a / z[3]);
  return static_cast<float>(1 / inverse);
}

}  // namespace

at::Tensor depth_along_flow(const at::Tensor& next_depth, const at::Tensor& flow) {
  const int64_t height = flow.size(0), width = flow.size(1);
  at::Tensor out = at::empty({height, width}, at::kFloat);
  const float* depth = next_depth.data_ptr<float>();
  const float* vector = flow.data_ptr<float>();
  float* z = out.data_ptr<float>();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x, vector += 2) {
      *z++ = depth_at(depth, height, width, static_cast<double>(x) + vector[0],
                      static_cast<double>(y) + vector[1]);
    }
  }
  return out;
}

at::Tensor points_along_flow(const at::Tensor& flow, const at::Tensor& z, const Camera& camera) {
  const int64_t height = flow.size(0), width = flow.size(1);
  at::Tensor points = at::empty({height, width, 3}, at::kFloat);
  const float* vector = flow.data_ptr<float>();
  const float* depth = z.data_ptr<float>();
  float* out = points.data_ptr<float>();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x, vector += 2, ++depth, out += 3) {
      const double u = static_cast<double>(x) + vector[0], v = static_cast<double>(y) + vector[1];
      const bool known = known_depth(*depth) && std::isfinite(u) && std::isfinite(v);
      out[0] = known ? static_cast<float>((u - camera.cx) / camera.fx * *depth) : kNan;
      out[1] = known ? static_cast<float>((v - camera.cy) / camera.fy * *depth) : kNan;
      out[2] = known ? *depth : kNan;
    }
  }
  return points;
}

at::Tensor hidden_behind(const at::Tensor& next_points, const at::Tensor& next_depth,
                         const Camera& camera) {
  const int64_t height = camera.height, width = camera.width;
  at::Tensor hidden = at::empty({height, width}, at::kBool);
  const float* point = next_points.data_ptr<float>();
  const float* depth = next_depth.data_ptr<float>();
  for (int64_t i = 0; i < height * width; ++i, point += 3) {
    const double u = camera.fx * point[0] / point[2] + camera.cx;
    const double v = camera.fy * point[1] / point[2] + camera.cy;
    bool& out = hidden.data_ptr<bool>()[i];
    out = false;
    if (!(point[2] > 0 && u > -1 && v > -1 && u < static_cast<double>(width) &&
          v < static_cast<double>(height))) {
      continue;
    }
    // The farthest of the four neighbours: beside an edge the point may belong to either side.
    float farthest = 0;
    const auto x0 = static_cast<int64_t>(std::floor(u)), y0 = static_cast<int64_t>(std::floor(v));
    for (int64_t y = std::max<int64_t>(y0, 0); y <= std::min(y0 + 1, height - 1); ++y) {
      for (int64_t x = std::max<int64_t>(x0, 0); x <= std::min(x0 + 1, width - 1); ++x) {
        const float z = depth[y * width + x];
        farthest = std::max(farthest, known_depth(z) ? z : std::numeric_limits<float>::infinity());
      }
    }
    out = point[2] > kLargestStep * farthest;
  }
  return hidden;
}

MoMap pair_motion(const at::Tensor& depth, const at::Tensor& next_points, const at::Tensor& hidden,
                  const Camera& camera, const Eigen::Isometry3d& first_from_next) {
  const int64_t height = camera.height, width = camera.width, pixels = height * width;
  const at::Tensor first = unproject(depth, camera);
  MoMap motion{.xyz = at::empty({2, height, width, 3}, at::kFloat),
               .visible = at::empty({2, height, width}, at::kBool),
               .valid = at::empty({height, width}, at::kBool),
               .camera = camera};
  const float* x0 = first.data_ptr<float>();
  const float* x1 = next_points.data_ptr<float>();
  const bool* is_hidden = hidden.data_ptr<bool>();
  float* xyz = motion.xyz.data_ptr<float>();
  bool* visible = motion.visible.data_ptr<bool>();
  bool* valid = motion.valid.data_ptr<bool>();
  for (int64_t i = 0; i < pixels; ++i) {
    const Eigen::Vector3d next(x1[3 * i], x1[3 * i + 1], x1[3 * i + 2]);
    valid[i] = x0[3 * i + 2] > 0 && next.allFinite() && next.z() > 0;
    const Eigen::Vector3d moved = first_from_next * next;
    for (int c = 0; c < 3; ++c) {
      xyz[3 * i + c] = x0[3 * i + c];
      xyz[3 * (pixels + i) + c] = valid[i] ? static_cast<float>(moved[c]) : x0[3 * i + c];
    }
    const double u = camera.fx * next.x() / next.z() + camera.cx;
    const double v = camera.fy * next.y() / next.z() + camera.cy;
    const bool inside = u >= -0.5 && v >= -0.5 && u < static_cast<double>(width) - 0.5 &&
                        v < static_cast<double>(height) - 0.5;
    visible[i] = valid[i];
    visible[pixels + i] = valid[i] && inside && !is_hidden[i];
  }
  return motion;
}

at::Tensor depth_from_disparity(const at::Tensor& disparity, double focal_px, double baseline_m) {
  at::Tensor depth = at::empty(disparity.sizes(), at::kFloat);
  const float* d = disparity.data_ptr<float>();
  float* z = depth.data_ptr<float>();
  const double scale = focal_px * baseline_m;
  for (int64_t i = 0; i < disparity.numel(); ++i) {
    const bool known = d[i] > 0 && std::isfinite(d[i]);
    const auto value = known ? static_cast<float>(scale / d[i]) : 0.f;
    z[i] = std::isfinite(value) ? value : 0.f;
  }
  return depth;
}

}  // namespace momap::formats
