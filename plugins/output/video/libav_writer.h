// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <string>

namespace momap::video_output {

/// What FFmpeg's libraries write for us.
enum class LibavFormat {
  mp4,   ///< H.264 in yuv420p (BT.601), which browsers can play while it loads; even sides only
  webp,  ///< animated, yuv420p (BT.601)
  gif,   ///< 256 fixed colours, dithered
};

/// Writes RGB pictures of one size. One encoder thread: the same pictures give the same bytes on
/// any machine with this encoder. Every member throws ConfigError, with `shown` as the name of the
/// file: the encoder is missing, the disk is full.
class LibavWriter {
 public:
  LibavWriter(LibavFormat format, const std::filesystem::path& path, cv::Size size, double fps,
              std::string shown);
  ~LibavWriter();

  void write(const cv::Mat& rgb);
  /// Writes what the encoder still holds, and the index; the file is complete afterwards.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace momap::video_output
