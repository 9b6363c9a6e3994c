// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/base/files.h>
#include <momap/data/datum.h>
#include <momap/stage/source.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "plugin_fixture.h"

// For the tests of sources: small data sets written file by file, and what every test asks.

namespace momap::testing {

namespace fs = std::filesystem;

inline void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  momap::write_file(path, bytes);
}

inline void write_image(const fs::path& path, const cv::Mat& image) {
  fs::create_directories(path.parent_path());
  cv::imwrite(path.string(), image);
}

/// Every pixel of frame t is (R, G, B) = (x, y, t), so that each can be told from every other.
inline cv::Mat numbered_frame(int width, int height, int t) {
  cv::Mat bgr(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      bgr.at<cv::Vec3b>(y, x) = {static_cast<uint8_t>(t), static_cast<uint8_t>(y),
                                 static_cast<uint8_t>(x)};
    }
  }
  return bgr;
}

/// The t that `numbered_frame` wrote into each frame.
inline std::vector<int> numbers_of(const Clip& clip) {
  std::vector<int> numbers;
  for (int64_t t = 0; t < clip.length(); ++t) {
    numbers.push_back(clip.frames[t].contiguous().data_ptr<uint8_t>()[2]);
  }
  return numbers;
}

template <class T>
std::string raw(const T& value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline std::string flo_file(int width, int height, const std::vector<float>& uv) {
  return "PIEH" + raw(width) + raw(height) + raw(uv);
}

inline std::string pfm_file(int width, int height, const std::vector<float>& bottom_up,
                            int channels = 1) {
  return std::string(channels == 3 ? "PF" : "Pf") + "\n" + std::to_string(width) + " " +
         std::to_string(height) + "\n-1.0\n" + raw(bottom_up);
}

/// Sample i, checked as the kernel checks it.
inline Clip sample(Source& source, int64_t i = 0) {
  Clip clip = source.sample(i, context());
  check(clip, "the source");
  return clip;
}

/// What is said when `act` throws an Error; "nothing was thrown" otherwise.
template <class Error>
std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// How well the flow from frame t explains the images: over pixels whose flow is known, stays
/// inside and is not occluded, the grey difference to frame t + 1 at the flow's end and, to
/// compare, at the same pixel.
struct Photometric {
  double with_flow = 0, without_flow = 0;  // mean absolute difference, grey levels
};
Photometric photometric(const Clip& clip, int64_t t);

/// Median |z| residual in metres between the depth of frame `to` and that of frame `from` carried
/// over by depth, camera and poses, over pixels that land on known depth within 5 % of theirs.
double depth_residual(const Clip& clip, int64_t from, int64_t to);

}  // namespace momap::testing
