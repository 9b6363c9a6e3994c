// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <opencv2/videoio.hpp>

namespace momap {

/// The frames of a video file in order. Going back reopens the file and decodes from its start:
/// container seeking lands on wrong frames with B-frames, edit lists and broken indexes.
class FrameStream {
 public:
  /// Throws ConfigError for a path that is not a file, DataError for a file that is not a video.
  explicit FrameStream(std::filesystem::path path);

  int64_t claimed_frames() const { return claimed_frames_; }  ///< by the container; <= 0: not known
  double fps() const { return fps_; }                         ///< 0 = unknown

  /// Refuses clips whose frames alone would take more than `max_gib`, by the size that the
  /// container claims (before anything is decoded). Throws DataError that says which sizes would
  /// fit.
  void check_clip_fits(int64_t frames, int max_width, double max_gib) const;

  /// Index of the frame that comes next.
  int64_t position() const { return position_; }

  /// Starts again at frame 0.
  void rewind();

  /// Decodes one frame without converting it; false at the end of the stream.
  bool advance();

  /// The frame of the last `advance()` as u8 RGB [H, W, 3], shrunk to `max_width` (0 = not). Throws
  /// DataError.
  cv::Mat rgb(int max_width);

 private:
  std::filesystem::path path_;
  cv::VideoCapture capture_;
  int64_t claimed_frames_ = 0;
  double fps_ = 0;
  double width_ = 0, height_ = 0;  // px, claimed by the container; 0 = unknown
  int64_t position_ = 0;
};

}  // namespace momap
