// SPDX-License-Identifier: Apache-2.0
#include "frame_stream.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <opencv2/imgproc.hpp>

namespace momap {

namespace fs = std::filesystem;

FrameStream::FrameStream(fs::path path) : path_(std::move(path)) {
  check_exists(path_, "path = " + shown(path_));
  if (!fs::is_regular_file(path_)) {
    throw ConfigError(
        fmt::format("path = {}: is not a regular file; expected one video file", shown(path_)));
  }
  std::error_code error;
  if (fs::file_size(path_, error) == 0 && !error) {
    throw DataError(fmt::format("{}: the file is empty (0 bytes)", shown(path_)));
  }
  // What FFmpeg has to say about a broken file is said by our errors. A user's own setting is
  // respected.
  ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
  rewind();
  claimed_frames_ =
      static_cast<int64_t>(std::clamp(capture_.get(cv::CAP_PROP_FRAME_COUNT), -1.0, 1e15));
  const double fps = capture_.get(cv::CAP_PROP_FPS);
  fps_ = std::isfinite(fps) && fps > 0 ? fps : 0;
  width_ = std::max(0.0, capture_.get(cv::CAP_PROP_FRAME_WIDTH));
  height_ = std::max(0.0, capture_.get(cv::CAP_PROP_FRAME_HEIGHT));
}

void FrameStream::check_clip_fits(int64_t frames, int max_width, double max_gib) const {
  if (width_ <= 0 || height_ <= 0) return;
  const double scale = max_width > 0 ? std::min(1.0, max_width / width_) : 1.0;
  const double full_gib = width_ * height_ * 3 * static_cast<double>(frames) / (1 << 30);
  const double gib = full_gib * scale * scale;
  if (gib <= max_gib) return;
  throw DataError(fmt::format(
      "{}: {} frames of {:.0f} x {:.0f} px take {:.1f} GiB, max_clip_gib = {} are allowed; lower "
      "width to {:.0f} or frames to {:.0f}, or raise max_clip_gib",
      shown(path_), frames, width_ * scale, height_ * scale, gib, max_gib,
      std::floor(width_ * std::sqrt(max_gib / full_gib)),
      std::floor(static_cast<double>(frames) * max_gib / gib)));
}

void FrameStream::rewind() {
  position_ = 0;
  bool opened = false;
  try {
    // The absolute path keeps FFmpeg from taking "a:b.mp4" for a protocol.
    opened = capture_.open(fs::absolute(path_).string(), cv::CAP_FFMPEG);
  } catch (const cv::Exception&) {
  }
  if (!opened) {
    throw DataError(
        fmt::format("{}: cannot be opened as a video (a damaged or truncated file, or "
                    "a format FFmpeg does not know); check it with ffprobe",
                    shown(path_)));
  }
}

bool FrameStream::advance() {
  bool found = false;
  try {
    found = capture_.grab();
  } catch (const cv::Exception&) {
  }
  if (found) ++position_;
  return found;
}

cv::Mat FrameStream::rgb(int max_width) {
  cv::Mat bgr;
  bool decoded = false;
  try {
    decoded = capture_.retrieve(bgr);
  } catch (const cv::Exception&) {
  }
  if (!decoded || bgr.empty() || bgr.type() != CV_8UC3) {
    throw DataError(fmt::format("{}: frame {} cannot be decoded", shown(path_), position_ - 1));
  }
  cv::Mat out;
  if (max_width > 0 && bgr.cols > max_width) {
    const double scale = static_cast<double>(max_width) / bgr.cols;
    const int height = std::max(1, static_cast<int>(std::lround(bgr.rows * scale)));
    cv::Mat small;
    cv::resize(bgr, small, {max_width, height}, 0, 0, cv::INTER_AREA);
    cv::cvtColor(small, out, cv::COLOR_BGR2RGB);
  } else {
    cv::cvtColor(bgr, out, cv::COLOR_BGR2RGB);  // copies: the decoder reuses its buffer
  }
  return out;
}

}  // namespace momap
