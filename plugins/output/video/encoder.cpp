// SPDX-License-Identifier: Apache-2.0
#include "encoder.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <sched.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

namespace momap::video_output {
namespace {

/// Keeps the calling thread on one processor while it lives. libx264 starts one thread per
/// processor that it is allowed to use, and its output depends on how many that are; OpenCV 4.6 has
/// no option for it.
class OneProcessor {
 public:
  OneProcessor() {
    if (sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &before_)) continue;
      CPU_SET(cpu, &one);
      break;
    }
    changed_ = sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~OneProcessor() {
    if (changed_) sched_setaffinity(0, sizeof before_, &before_);
  }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_{};
  bool changed_ = false;
};

cv::Mat prepared(const cv::Mat& rgb) {
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  // One macroblock at least: OpenCV 4.6 corrupts its heap on pictures a few pixels wide (2 x 8).
  static constexpr int kSmallest = 16;
  const auto missing = [](int size) { return std::max(kSmallest, size + size % 2) - size; };
  cv::copyMakeBorder(bgr, bgr, 0, missing(bgr.rows), 0, missing(bgr.cols), cv::BORDER_REPLICATE);
  return bgr;
}

int64_t frames_in(const std::filesystem::path& path, int api) {
  cv::VideoCapture capture(path.string(), api);
  int64_t frames = 0;
  while (capture.isOpened() && capture.grab()) ++frames;
  return frames;
}

}  // namespace

void encode(const Video& video, const std::filesystem::path& path, const std::string& shown) {
  const bool mp4 = path.extension() == ".mp4";
  const int api = mp4 ? cv::CAP_FFMPEG : cv::CAP_OPENCV_MJPEG;
  const int codec = mp4 ? cv::VideoWriter::fourcc('a', 'v', 'c', '1')
                        : cv::VideoWriter::fourcc('M', 'J', 'P', 'G');
  const cv::Mat first = prepared(video.frame(0));
  cv::VideoWriter writer;
  {
    const OneProcessor alone;
    writer.open(path.string(), api, codec, video.fps, first.size());
  }
  if (!writer.isOpened()) {
    throw ConfigError(
        fmt::format("{}: OpenCV cannot write {} of {} x {} px at {} frames a second; {}", shown,
                    mp4 ? "H.264" : "Motion JPEG", first.cols, first.rows, video.fps,
                    mp4 ? "install FFmpeg's libraries with libx264 (Debian: libavcodec-extra), or "
                          "set 'format: avi'"
                        : "check OpenCV's build for Motion JPEG"));
  }
  writer.write(first);
  for (int64_t t = 1; t < video.frames; ++t) writer.write(prepared(video.frame(t)));
  writer.release();
  // Encoders do not report a full disk.
  const int64_t written = frames_in(path, mp4 ? cv::CAP_FFMPEG : cv::CAP_OPENCV_MJPEG);
  if (written != video.frames) {
    throw ConfigError(fmt::format(
        "{}: cannot be written: {} of {} frames can be read back; free some space on the disk",
        shown, written, video.frames));
  }
}

}  // namespace momap::video_output
