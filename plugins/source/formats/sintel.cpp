// SPDX-License-Identifier: Apache-2.0
#include "sintel.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "binary.h"
#include "pose.h"

namespace momap::formats {
namespace {

constexpr float kTag = 202021.25f;  // the bytes "PIEH"

}  // namespace

at::Tensor read_dpt(const std::filesystem::path& path) {
  BinaryFile file(path);
  if (file.take<float>("tag") != kTag) {
    file.refuse("does not start with 'PIEH'; it is not a .dpt file");
  }
  const auto [width, height] = file.take_size();
  const auto count = static_cast<size_t>(width * height);
  file.require_left(count * sizeof(float), fmt::format("{} x {} px", width, height));
  at::Tensor depth = at::empty({height, width}, at::kFloat);
  float* out = depth.data_ptr<float>();
  file.take(out, count, "depth");
  for (size_t i = 0; i < count; ++i) {
    if (!(out[i] > 0) || !std::isfinite(out[i])) out[i] = 0;
  }
  return depth;
}

SintelCamera read_cam(const std::filesystem::path& path) {
  BinaryFile file(path);
  if (file.take<float>("tag") != kTag) {
    file.refuse("does not start with 'PIEH'; it is not a .cam file");
  }
  file.require_left(21 * sizeof(double), "a 3 x 3 and a 3 x 4 matrix");
  std::array<double, 9> k{};
  std::array<double, 16> rows{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  file.take(k.data(), k.size(), "intrinsics");
  file.take(rows.data(), 12, "pose");
  const bool pinhole = k[0] > 0 && k[4] > 0 && k[1] == 0 && k[3] == 0 && k[6] == 0 && k[7] == 0 &&
                       k[8] == 1 && std::isfinite(k[0] + k[2] + k[4] + k[5]);
  if (!pinhole) {
    file.refuse(
        fmt::format("intrinsics = [{}]; expected fx 0 cx 0 fy cy 0 0 1", fmt::join(k, ", ")));
  }
  SintelCamera out{.camera = {.fx = k[0], .fy = k[4], .cx = k[2], .cy = k[5]},
                   .cam_from_world = rigid_motion(rows.data(), path)};
  return out;
}

}  // namespace momap::formats
