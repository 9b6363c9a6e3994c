// SPDX-License-Identifier: Apache-2.0
#include "encoder.h"

#include <fmt/format.h>
#include <momap/base/error.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include "libav_writer.h"

namespace momap::video_output {
namespace {

cv::Mat padded(const cv::Mat& rgb) {
  // One macroblock at least: decoders of OpenCV 4.6 corrupt their heap on pictures of 2 x 8.
  static constexpr int kSmallest = 16;
  const auto missing = [](int size) { return std::max(kSmallest, size + size % 2) - size; };
  cv::Mat out;
  cv::copyMakeBorder(rgb, out, 0, missing(rgb.rows), 0, missing(rgb.cols), cv::BORDER_REPLICATE);
  return out;
}

void write_by_libav(LibavFormat format, const Video& video, const std::filesystem::path& path,
                    const std::string& shown) {
  const auto fitted = [&](int64_t t) {
    const cv::Mat rgb = video.frame(t);
    return format == LibavFormat::mp4 ? padded(rgb) : rgb;
  };
  const cv::Mat first = fitted(0);
  LibavWriter writer(format, path, first.size(), video.fps, shown);
  writer.write(first);
  for (int64_t t = 1; t < video.frames; ++t) writer.write(fitted(t));
  writer.finish();
}

cv::Mat bgr(const cv::Mat& rgb) {
  cv::Mat out;
  cv::cvtColor(rgb, out, cv::COLOR_RGB2BGR);
  return out;
}

int64_t frames_in(const std::filesystem::path& path) {
  cv::VideoCapture capture(path.string(), cv::CAP_OPENCV_MJPEG);
  int64_t frames = 0;
  while (capture.isOpened() && capture.grab()) ++frames;
  return frames;
}

void write_motion_jpeg(const Video& video, const std::filesystem::path& path,
                       const std::string& shown) {
  const cv::Mat first = padded(video.frame(0));
  cv::VideoWriter writer(path.string(), cv::CAP_OPENCV_MJPEG,
                         cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), video.fps, first.size());
  if (!writer.isOpened()) {
    throw ConfigError(fmt::format(
        "{}: OpenCV cannot write Motion JPEG of {} x {} px at {} frames a second; check that the "
        "folder can be written and OpenCV was built with it",
        shown, first.cols, first.rows, video.fps));
  }
  writer.write(bgr(first));
  for (int64_t t = 1; t < video.frames; ++t) writer.write(bgr(padded(video.frame(t))));
  writer.release();
  // OpenCV does not report a full disk.
  if (const int64_t written = frames_in(path); written != video.frames) {
    throw ConfigError(fmt::format(
        "{}: cannot be written: {} of {} frames can be read back; free some space on the disk",
        shown, written, video.frames));
  }
}

}  // namespace

void encode(const Video& video, const std::filesystem::path& path, const std::string& shown) {
  const std::string format = path.extension();
  if (format == ".avi") return write_motion_jpeg(video, path, shown);
  write_by_libav(format == ".mp4"    ? LibavFormat::mp4
                 : format == ".webp" ? LibavFormat::webp
                                     : LibavFormat::gif,
                 video, path, shown);
}

}  // namespace momap::video_output
