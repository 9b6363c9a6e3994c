// SPDX-License-Identifier: Apache-2.0
#include "foreground.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace momap {
namespace {

constexpr int64_t kMostMedianFrames = 49;

cv::Mat ellipse(int width, int height) {
  return cv::getStructuringElement(cv::MORPH_ELLIPSE, {std::max(1, width), std::max(1, height)});
}

}  // namespace

cv::Mat median_background(const at::Tensor& frames) {
  const at::Tensor dense = frames.contiguous();
  const int64_t length = dense.size(0), height = dense.size(1), width = dense.size(2);
  const int64_t used = std::min(length, kMostMedianFrames);
  const uint8_t* first = dense.data_ptr<uint8_t>();
  const int64_t frame_bytes = height * width * 3;
  cv::Mat background(static_cast<int>(height), static_cast<int>(width), CV_8UC3);
  tbb::parallel_for(int64_t{0}, height, [&](int64_t y) {
    uint8_t* out = background.ptr<uint8_t>(static_cast<int>(y));
    std::array<uint8_t, kMostMedianFrames> values;
    for (int64_t i = 0; i < width * 3; ++i) {
      for (int64_t k = 0; k < used; ++k) {
        const int64_t t = k * length / used;
        values[static_cast<size_t>(k)] = first[t * frame_bytes + y * width * 3 + i];
      }
      const auto middle = values.begin() + used / 2;
      std::nth_element(values.begin(), middle, values.begin() + used);
      out[i] = *middle;
    }
  });
  return background;
}

Blobs moving_blobs(const cv::Mat& frame, const cv::Mat& background,
                   const ForegroundOptions& options) {
  cv::Mat difference, mask;
  cv::absdiff(frame, background, difference);
  cv::GaussianBlur(difference, difference, {3, 3}, 0);
  std::array<cv::Mat, 3> channels;
  cv::split(difference, channels);
  mask = cv::max(cv::max(channels[0], channels[1]), channels[2]) > options.threshold;
  cv::morphologyEx(mask, mask, cv::MORPH_OPEN, ellipse(3, 3));
  // Taller than wide: joins head, body and legs of one person rather than two neighbours.
  const int unit = std::max(1, mask.rows / 72);
  cv::morphologyEx(mask, mask, cv::MORPH_CLOSE, ellipse(unit, 3 * unit));

  Blobs blobs;
  cv::Mat statistics, centroids;
  const int count = cv::connectedComponentsWithStats(mask, blobs.labels, statistics, centroids);
  const double smallest = options.smallest_fraction * static_cast<double>(mask.total());
  blobs.lowest.assign(static_cast<size_t>(count), -1);
  for (int i = 1; i < count; ++i) {
    if (statistics.at<int>(i, cv::CC_STAT_AREA) < smallest) continue;
    blobs.lowest[static_cast<size_t>(i)] =
        statistics.at<int>(i, cv::CC_STAT_TOP) + statistics.at<int>(i, cv::CC_STAT_HEIGHT) - 1;
  }
  return blobs;
}

}  // namespace momap
