// SPDX-License-Identifier: Apache-2.0
#include <momap/data/opencv.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "checker.h"
#include "draw.h"

namespace momap::draw {
namespace {

constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

/// The value below which `share` of the values lie; values are reordered.
float percentile(std::vector<float>& values, double share) {
  const auto rank = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank),
                   values.end());
  return values[rank];
}

/// Hue in turns from 0, saturation in [0, 1], full value.
cv::Vec3b colour_of(double hue, double saturation) {
  const auto channel = [&](double offset) {
    const double ramp = std::abs(std::fmod(6 * hue + offset, 6.0) - 3) - 1;
    const double full = std::clamp(ramp, 0.0, 1.0);
    return static_cast<uint8_t>(std::lround(255 * (1 - saturation + saturation * full)));
  };
  return {channel(0), channel(4), channel(2)};
}

}  // namespace

cv::Mat photograph(const at::Tensor& frames, int64_t t) {
  return as_mat(frames[t].contiguous()).clone();
}

cv::Mat enlarged(const cv::Mat& picture, int scale) {
  if (scale == 1) return picture;
  cv::Mat out;
  cv::resize(picture, out, {}, scale, scale, cv::INTER_NEAREST);
  return out;
}

cv::Mat with_holes_marked(const PartialClip& partial, int64_t t) {
  cv::Mat picture = photograph(partial.frames, t);
  const at::Tensor covered = partial.covered[t].contiguous();
  const bool* mask = covered.data_ptr<bool>();
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x, ++mask) {
      if (!*mask) picture.at<cv::Vec3b>(y, x) = checker(y, x);
    }
  }
  return picture;
}

cv::Mat displacement_picture(const MoMap& momap, int64_t t, double full_px) {
  const int height = static_cast<int>(momap.height()), width = static_cast<int>(momap.width());
  const at::Tensor first = momap.xyz[0].contiguous(), now = momap.xyz[t].contiguous();
  const at::Tensor valid = momap.valid.contiguous();
  const auto *p0 = first.data_ptr<float>(), *pt = now.data_ptr<float>();
  const bool* known = valid.data_ptr<bool>();
  const Camera& camera = momap.camera;

  std::vector<cv::Point2f> shifts(static_cast<size_t>(height) * width, {kNoValue, kNoValue});
  std::vector<float> lengths;
  for (size_t i = 0; i < shifts.size(); ++i) {
    const float *a = p0 + 3 * i, *b = pt + 3 * i;
    if (!known[i] || !(a[2] > 0) || !(b[2] > 0)) continue;
    const cv::Point2d shift(
        camera.fx * (static_cast<double>(b[0]) / b[2] - static_cast<double>(a[0]) / a[2]),
        camera.fy * (static_cast<double>(b[1]) / b[2] - static_cast<double>(a[1]) / a[2]));
    const auto length = static_cast<float>(std::hypot(shift.x, shift.y));
    if (!std::isfinite(length)) continue;
    shifts[i] = shift;
    lengths.push_back(length);
  }
  if (full_px <= 0) full_px = lengths.empty() ? 1.0 : std::max(1.0f, percentile(lengths, 0.99));

  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const cv::Point2f shift = shifts[static_cast<size_t>(y) * width + x];
      if (std::isnan(shift.x)) {
        picture.at<cv::Vec3b>(y, x) = checker(y, x);
        continue;
      }
      const double turn = std::atan2(shift.y, shift.x) / (2 * std::numbers::pi);
      const double strength = std::min(1.0, std::hypot(shift.x, shift.y) / full_px);
      picture.at<cv::Vec3b>(y, x) = colour_of(turn < 0 ? turn + 1 : turn, strength);
    }
  }
  return picture;
}

cv::Mat depth_picture(const MoMap& momap) {
  const int height = static_cast<int>(momap.height()), width = static_cast<int>(momap.width());
  const at::Tensor first = momap.xyz[0].contiguous(), valid = momap.valid.contiguous();
  const auto* xyz = first.data_ptr<float>();
  const bool* known = valid.data_ptr<bool>();

  std::vector<float> logs(static_cast<size_t>(height) * width, kNoValue), sorted;
  for (size_t i = 0; i < logs.size(); ++i) {
    const float z = xyz[3 * i + 2];
    if (known[i] && z > 0 && std::isfinite(z)) sorted.push_back(logs[i] = std::log(z));
  }
  // A few stray points must not use up the scale.
  const float near = sorted.empty() ? 0 : percentile(sorted, 0.01);
  const float far = sorted.empty() ? 0 : percentile(sorted, 0.99);

  cv::Mat level(height, width, CV_8U), picture;
  for (int i = 0; i < height * width; ++i) {
    const float share = far > near ? (far - logs[i]) / (far - near) : 0.5f;
    // The palette's ends are too dark to tell apart.
    level.data[i] =
        std::isnan(logs[i])
            ? uint8_t{0}
            : static_cast<uint8_t>(std::lround(25 + 205 * std::clamp(share, 0.0f, 1.0f)));
  }
  cv::applyColorMap(level, picture, cv::COLORMAP_TURBO);
  cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
  for (int i = 0; i < height * width; ++i) {
    if (std::isnan(logs[i]))
      picture.at<cv::Vec3b>(i / width, i % width) = checker(i / width, i % width);
  }
  return picture;
}

}  // namespace momap::draw
