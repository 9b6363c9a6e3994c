// SPDX-License-Identifier: Apache-2.0
#include "flow.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <vector>

#include "binary.h"
#include "images.h"

namespace momap::formats {
namespace {

constexpr float kFloTag = 202021.25f;  // the bytes "PIEH"
constexpr float kLargestFlow = 1e9f;   // px; larger means unknown
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// u32 width, height, channels, then one plane of f32 after the other.
at::Tensor read_planar(const std::filesystem::path& path, int64_t channels) {
  BinaryFile file(path);
  const auto [width, height] = file.take_size();
  const auto found = file.take<uint32_t>("number of channels");
  if (found != channels) {
    file.refuse(fmt::format("has {} channels; expected {}", found, channels));
  }
  const int64_t pixels = width * height;
  file.require_left(static_cast<uint64_t>(pixels * channels) * sizeof(float),
                    fmt::format("{} x {} px with {} channels", width, height, channels));
  at::Tensor out = at::empty({height, width, channels}, at::kFloat);
  float* values = out.data_ptr<float>();
  std::vector<float> plane(static_cast<size_t>(pixels));
  for (int64_t c = 0; c < channels; ++c) {
    file.take(plane.data(), plane.size(), "flow");
    for (int64_t i = 0; i < pixels; ++i) {
      const float value = plane[static_cast<size_t>(i)];
      values[i * channels + c] = std::isfinite(value) ? value : kNan;
    }
  }
  // One unknown component makes the vector unknown.
  for (int64_t i = 0; i < pixels; ++i) {
    float* vector = values + i * channels;
    bool known = true;
    for (int64_t c = 0; c < channels; ++c) known = known && !std::isnan(vector[c]);
    if (!known) std::fill(vector, vector + channels, kNan);
  }
  return out;
}

}  // namespace

at::Tensor read_flo(const std::filesystem::path& path) {
  BinaryFile file(path);
  if (file.take<float>("tag") != kFloTag) {
    file.refuse("does not start with 'PIEH'; it is not a .flo file");
  }
  const auto [width, height] = file.take_size();
  const auto values = static_cast<size_t>(width * height * 2);
  file.require_left(values * sizeof(float), fmt::format("{} x {} px", width, height));
  at::Tensor flow = at::empty({height, width, 2}, at::kFloat);
  float* out = flow.data_ptr<float>();
  file.take(out, values, "flow");
  for (size_t i = 0; i < values; i += 2) {
    const bool known = std::abs(out[i]) <= kLargestFlow && std::abs(out[i + 1]) <= kLargestFlow;
    if (!known) out[i] = out[i + 1] = kNan;
  }
  return flow;
}

at::Tensor read_oflow(const std::filesystem::path& path) { return read_planar(path, 2); }

at::Tensor read_sflow(const std::filesystem::path& path) { return read_planar(path, 3); }

at::Tensor read_kitti_flow(const std::filesystem::path& path) {
  const cv::Mat png = read_image(path, CV_16UC3, "a 16-bit RGB png");
  at::Tensor flow = at::empty({png.rows, png.cols, 2}, at::kFloat);
  float* out = flow.data_ptr<float>();
  for (int y = 0; y < png.rows; ++y) {
    const auto* row = png.ptr<uint16_t>(y);  // blue, green, red
    for (int x = 0; x < png.cols; ++x, out += 2, row += 3) {
      const bool known = row[0] != 0;
      out[0] = known ? (static_cast<float>(row[2]) - 32768) / 64 : kNan;
      out[1] = known ? (static_cast<float>(row[1]) - 32768) / 64 : kNan;
    }
  }
  return flow;
}

at::Tensor read_kitti_disparity(const std::filesystem::path& path) {
  const cv::Mat png = read_image(path, CV_16UC1, "a 16-bit grey png");
  at::Tensor disparity = at::empty({png.rows, png.cols}, at::kFloat);
  float* out = disparity.data_ptr<float>();
  for (int y = 0; y < png.rows; ++y) {
    const auto* row = png.ptr<uint16_t>(y);
    for (int x = 0; x < png.cols; ++x) {
      *out++ = row[x] != 0 ? static_cast<float>(row[x]) / 256 : kNan;
    }
  }
  return disparity;
}

}  // namespace momap::formats
