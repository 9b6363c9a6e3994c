// SPDX-License-Identifier: Apache-2.0
#include "dense_flow.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

namespace momap {
namespace {

// DIS refuses images smaller than its patches.
constexpr int kLeastSide = 32;

cv::Mat at_least(const cv::Mat& image) {
  const int bottom = std::max(0, kLeastSide - image.rows);
  const int right = std::max(0, kLeastSide - image.cols);
  if (bottom == 0 && right == 0) return image;
  cv::Mat padded;
  cv::copyMakeBorder(image, padded, 0, bottom, 0, right, cv::BORDER_REPLICATE);
  return padded;
}

int preset_number(const std::string& preset) {
  if (preset == "ultrafast") return cv::DISOpticalFlow::PRESET_ULTRAFAST;
  if (preset == "fast") return cv::DISOpticalFlow::PRESET_FAST;
  return cv::DISOpticalFlow::PRESET_MEDIUM;
}

}  // namespace

FlowPair flow_between(const cv::Mat& a, const cv::Mat& b, const std::string& preset) {
  const cv::Mat padded_a = at_least(a), padded_b = at_least(b);
  // An object of its own for each call: DIS objects keep buffers and are not thread-safe.
  const auto dis = cv::DISOpticalFlow::create(preset_number(preset));
  FlowPair pair;
  dis->calc(padded_a, padded_b, pair.forward);
  dis->calc(padded_b, padded_a, pair.backward);
  if (padded_a.size() != a.size()) {
    const cv::Rect inside(0, 0, a.cols, a.rows);
    pair.forward = pair.forward(inside).clone();
    pair.backward = pair.backward(inside).clone();
  }
  return pair;
}

}  // namespace momap
