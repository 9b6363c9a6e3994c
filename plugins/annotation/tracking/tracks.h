// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

namespace momap {

struct TrackOptions {
  int features = 800;  ///< corners looked for in a keyframe
  double forward_backward_px = 0.5;
};

/// Corners of one keyframe and where they are in later frames; all tracked straight from the
/// keyframe, so that errors do not add up.
class KeyframeTracks {
 public:
  /// `frames` are u8 grey images that outlive this object; `carried` are corners to follow besides
  /// the new ones.
  KeyframeTracks(const std::vector<cv::Mat>& frames, int64_t keyframe, const TrackOptions& options,
                 const std::vector<cv::Point2f>& carried = {});

  int64_t keyframe() const { return keyframe_; }
  int64_t last_frame() const { return keyframe_ + static_cast<int64_t>(positions_.size()) - 1; }

  /// Where the corners are in `frame` (px), and whether each is still followed there.
  const std::vector<cv::Point2f>& positions(int64_t frame) const {
    return positions_[static_cast<size_t>(frame - keyframe_)];
  }
  const std::vector<uint8_t>& alive(int64_t frame) const {
    return alive_[static_cast<size_t>(frame - keyframe_)];
  }
  int64_t alive_count(int64_t frame) const;

  /// Median distance from the keyframe of the corners still followed, px; 0 for none.
  double median_displacement(int64_t frame) const;

  /// Tracks into the next frame.
  void advance();

  /// Forgets the last frame.
  void drop_last();

 private:
  const std::vector<cv::Mat>& frames_;
  int64_t keyframe_;
  TrackOptions options_;
  std::vector<std::vector<cv::Point2f>> positions_;  // [frame - keyframe][corner]
  std::vector<std::vector<uint8_t>> alive_;
};

}  // namespace momap
