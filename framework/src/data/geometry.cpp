// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/data/geometry.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace momap {
namespace {

// A point stands for a patch one reference pixel wide. Three quarters of its width to each side
// leave no gaps between neighbours that move apart a little, and keep a point that projects onto a
// pixel centre within that pixel.
constexpr double kHalfWidth = 0.75;
constexpr double kWidestHalfWidth = 4.0;  // px, for points that come close to the camera

struct Projection {
  double u, v;  // px
  bool inside;  // in front of the camera and in its image
};

Projection project(const float* point, const Camera& camera) {
  const double x = point[0], y = point[1], z = point[2];
  if (!(z > 0) || !std::isfinite(x) || !std::isfinite(y) || !std::isfinite(z)) return {0, 0, false};
  const double u = camera.fx * x / z + camera.cx;
  const double v = camera.fy * y / z + camera.cy;
  const bool inside = u >= -0.5 && v >= -0.5 && u < static_cast<double>(camera.width) - 0.5 &&
                      v < static_cast<double>(camera.height) - 0.5;
  return {u, v, inside};
}

int64_t nearest_pixel(double u, int64_t size) {
  return std::clamp<int64_t>(std::llround(u), 0, size - 1);
}

// Nearest depth at each pixel of the image; infinite where no point falls.
void fill_nearest_depth(const float* points, const float* first_points, const bool* valid,
                        int64_t count, const Camera& camera, std::vector<float>& nearest) {
  std::fill(nearest.begin(), nearest.end(), std::numeric_limits<float>::infinity());
  for (int64_t i = 0; i < count; ++i) {
    const float* point = points + 3 * i;
    if (!valid[i]) continue;
    const Projection at = project(point, camera);
    if (!at.inside) continue;
    const float z = point[2];
    const double first_z = first_points[3 * i + 2];
    const double magnification = std::isfinite(first_z) ? std::max(first_z / z, 1.0) : 1.0;
    const double half = std::min(kHalfWidth * magnification, kWidestHalfWidth);
    const auto x0 = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(at.u - half)));
    const auto x1 =
        std::min<int64_t>(camera.width - 1, static_cast<int64_t>(std::floor(at.u + half)));
    const auto y0 = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(at.v - half)));
    const auto y1 =
        std::min<int64_t>(camera.height - 1, static_cast<int64_t>(std::floor(at.v + half)));
    for (int64_t y = y0; y <= y1; ++y) {
      float* row = nearest.data() + y * camera.width;
      for (int64_t x = x0; x <= x1; ++x) row[x] = std::min(row[x], z);
    }
  }
}

}  // namespace

at::Tensor unproject(const at::Tensor& depth, const Camera& camera) {
  if (depth.dim() != 2 || depth.scalar_type() != at::kFloat) {
    throw DataError(fmt::format("depth is {} [{}]; expected f32 [H, W]",
                                c10::toString(depth.scalar_type()),
                                fmt::join(depth.sizes(), ", ")));
  }
  const int64_t height = depth.size(0), width = depth.size(1);
  if (height != camera.height || width != camera.width) {
    throw DataError(fmt::format("depth is {} x {} px and its camera {} x {} px; expected the same",
                                width, height, camera.width, camera.height));
  }
  const at::Tensor source = depth.contiguous();
  at::Tensor points = at::zeros({height, width, 3}, at::kFloat);
  const float* z = source.data_ptr<float>();
  float* out = points.data_ptr<float>();
  for (int64_t y = 0; y < height; ++y) {
    const double ray_y = (static_cast<double>(y) - camera.cy) / camera.fy;
    for (int64_t x = 0; x < width; ++x, ++z, out += 3) {
      if (!(*z > 0) || !std::isfinite(*z)) continue;
      const double ray_x = (static_cast<double>(x) - camera.cx) / camera.fx;
      out[0] = static_cast<float>(ray_x * *z);
      out[1] = static_cast<float>(ray_y * *z);
      out[2] = *z;
    }
  }
  return points;
}

at::Tensor visible_by_depth(const at::Tensor& xyz, const at::Tensor& valid, const Camera& camera,
                            double tolerance) {
  if (xyz.dim() != 4 || xyz.size(3) != 3 || xyz.scalar_type() != at::kFloat || valid.dim() != 2 ||
      valid.scalar_type() != at::kBool || valid.size(0) != xyz.size(1) ||
      valid.size(1) != xyz.size(2)) {
    throw DataError(fmt::format(
        "points [{}] and valid [{}] do not fit; expected f32 [T, H, W, 3] and bool [H, W]",
        fmt::join(xyz.sizes(), ", "), fmt::join(valid.sizes(), ", ")));
  }
  const int64_t frames = xyz.size(0);
  const int64_t count = xyz.size(1) * xyz.size(2);
  const at::Tensor points = xyz.contiguous(), mask = valid.contiguous();
  at::Tensor visible = at::zeros({frames, xyz.size(1), xyz.size(2)}, at::kBool);
  const float* first = points.data_ptr<float>();
  const bool* has_path = mask.data_ptr<bool>();
  bool* seen = visible.data_ptr<bool>();
  tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
    std::vector<float> nearest(static_cast<size_t>(camera.width * camera.height));
    const float* frame = first + 3 * count * t;
    fill_nearest_depth(frame, first, has_path, count, camera, nearest);
    for (int64_t i = 0; i < count; ++i) {
      if (!has_path[i]) continue;
      const Projection at = project(frame + 3 * i, camera);
      if (!at.inside) continue;
      const int64_t x = nearest_pixel(at.u, camera.width), y = nearest_pixel(at.v, camera.height);
      const double z = frame[3 * i + 2];
      seen[count * t + i] = z - nearest[static_cast<size_t>(y * camera.width + x)] <= tolerance * z;
    }
  });
  return visible;
}

}  // namespace momap
