// SPDX-License-Identifier: Apache-2.0
#include "tracks.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

namespace momap {
namespace {

cv::Size window_for(const cv::Mat& image) {
  const int side = std::min(image.rows, image.cols) >= 200 ? 21 : 11;
  return {side, side};
}

}  // namespace

KeyframeTracks::KeyframeTracks(const std::vector<cv::Mat>& frames, int64_t keyframe,
                               const TrackOptions& options, const std::vector<cv::Point2f>& carried)
    : frames_(frames), keyframe_(keyframe), options_(options) {
  const cv::Mat& image = frames_[static_cast<size_t>(keyframe)];
  const double spacing =
      std::max(3.0, 0.5 * std::sqrt(static_cast<double>(image.total()) / options_.features));
  std::vector<cv::Point2f> corners;
  if (std::min(image.rows, image.cols) >= 16) {
    cv::Mat mask(image.size(), CV_8U, cv::Scalar(255));
    for (const auto& point : carried) {
      cv::circle(mask, point, static_cast<int>(spacing), cv::Scalar(0), cv::FILLED);
    }
    cv::goodFeaturesToTrack(image, corners, options_.features, 0.005, spacing, mask, 5);
  }
  corners.insert(corners.begin(), carried.begin(), carried.end());
  alive_.emplace_back(corners.size(), uint8_t{1});
  positions_.push_back(std::move(corners));
}

int64_t KeyframeTracks::alive_count(int64_t frame) const {
  return std::count(alive(frame).begin(), alive(frame).end(), uint8_t{1});
}

double KeyframeTracks::median_displacement(int64_t frame) const {
  std::vector<double> distance;
  for (size_t i = 0; i < alive(frame).size(); ++i) {
    if (alive(frame)[i]) distance.push_back(cv::norm(positions(frame)[i] - positions_[0][i]));
  }
  if (distance.empty()) return 0;
  const auto middle = distance.begin() + static_cast<std::ptrdiff_t>(distance.size() / 2);
  std::nth_element(distance.begin(), middle, distance.end());
  return *middle;
}

void KeyframeTracks::advance() {
  const int64_t next = last_frame() + 1;
  const cv::Mat& from = frames_[static_cast<size_t>(keyframe_)];
  const cv::Mat& to = frames_[static_cast<size_t>(next)];
  std::vector<uint8_t> alive_next = alive_.back();
  std::vector<cv::Point2f> corners, guess, back;
  std::vector<size_t> index;
  for (size_t i = 0; i < alive_next.size(); ++i) {
    if (!alive_next[i]) continue;
    index.push_back(i);
    corners.push_back(positions_[0][i]);
    guess.push_back(positions_.back()[i]);
  }
  std::vector<cv::Point2f> positions_next = positions_.back();
  if (!index.empty()) {
    const cv::Size window = window_for(from);
    const cv::TermCriteria criteria(cv::TermCriteria::COUNT | cv::TermCriteria::EPS, 30, 0.003);
    constexpr int kLevels = 3;
    std::vector<uint8_t> found, found_back;
    std::vector<float> residual;
    back = corners;
    cv::calcOpticalFlowPyrLK(from, to, corners, guess, found, residual, window, kLevels, criteria,
                             cv::OPTFLOW_USE_INITIAL_FLOW);
    cv::calcOpticalFlowPyrLK(to, from, guess, back, found_back, residual, window, kLevels, criteria,
                             cv::OPTFLOW_USE_INITIAL_FLOW);
    for (size_t k = 0; k < index.size(); ++k) {
      const cv::Point2f p = guess[k];
      const bool inside = p.x >= 0 && p.y >= 0 && p.x <= static_cast<float>(to.cols - 1) &&
                          p.y <= static_cast<float>(to.rows - 1);
      const bool returns = cv::norm(back[k] - corners[k]) <= options_.forward_backward_px;
      alive_next[index[k]] = found[k] && found_back[k] && inside && returns;
      positions_next[index[k]] = p;
    }
  }
  positions_.push_back(std::move(positions_next));
  alive_.push_back(std::move(alive_next));
}

void KeyframeTracks::drop_last() {
  positions_.pop_back();
  alive_.pop_back();
}

}  // namespace momap
