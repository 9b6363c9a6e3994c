// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <opencv2/core.hpp>
#include <string>

namespace momap::video_output {

/// A video to write; `frame(t)` gives RGB pictures of one size.
struct Video {
  int64_t frames;
  double fps;
  std::function<cv::Mat(int64_t t)> frame;
};

/// Encodes into `path`, whose extension says how: .mp4 is H.264 in yuv420p, .avi is Motion JPEG;
/// .webp and .gif are what they say. In .mp4 and .avi odd sizes, and sides below 16 px, are padded
/// by copies of the last row or column: H.264 halves the colour planes and works in blocks. The
/// same frames give the same bytes on any machine with this encoder. Throws ConfigError when the
/// encoder is missing or the file is not complete (disk full). `shown` names the file in messages.
void encode(const Video& video, const std::filesystem::path& path, const std::string& shown);

}  // namespace momap::video_output
