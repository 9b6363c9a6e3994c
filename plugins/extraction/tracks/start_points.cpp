// SPDX-License-Identifier: Apache-2.0
#include <momap/data/opencv.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "tracks.h"

namespace momap::tracks {

std::vector<cv::Point2f> start_points(const Clip& clip, double spacing_px) {
  // Less than this least eigenvalue of a corner (OpenCV's scale, grey 0 to 1) is nothing to follow.
  constexpr float kFlat = 1e-6F;
  constexpr int kBlock = 3;
  const at::Tensor first = clip.frames[0].contiguous();
  cv::Mat grey, corners;
  cv::cvtColor(as_mat(first), grey, cv::COLOR_RGB2GRAY);
  grey.convertTo(grey, CV_32F, 1.0 / 255);
  cv::cornerMinEigenVal(grey, corners, kBlock);
  const at::Tensor depth = (*clip.depth)[0].contiguous();
  const auto* const z = depth.data_ptr<float>();
  std::vector<cv::Point2f> points;
  const auto squares = [&](int size) {
    return std::max(1, static_cast<int>(std::ceil(size / spacing_px)));
  };
  const int rows = squares(grey.rows), columns = squares(grey.cols);
  for (int j = 0; j < rows; ++j) {
    for (int i = 0; i < columns; ++i) {
      float best = kFlat;
      cv::Point2f place(-1, -1);
      for (int y = j * grey.rows / rows; y < (j + 1) * grey.rows / rows; ++y) {
        for (int x = i * grey.cols / columns; x < (i + 1) * grey.cols / columns; ++x) {
          const float d = z[y * grey.cols + x], corner = corners.at<float>(y, x);
          if (!(d > 0) || !std::isfinite(d) || corner <= best) continue;
          best = corner;
          place = cv::Point2f(static_cast<float>(x), static_cast<float>(y));
        }
      }
      if (place.x >= 0) points.push_back(place);
    }
  }
  return points;
}

}  // namespace momap::tracks
