// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/plugin/plugin.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>
#include <opencv2/core/mat.hpp>
#include <string>

#include "frame_stream.h"

namespace {

using momap::DataError;
using momap::param;

class VideoSource final : public momap::Source {
 public:
  static constexpr auto kConcurrency = momap::Concurrency::serial;

  struct Params {
    std::string path;
    int frames = 24;
    int stride = 1;
    int hop = 0;
    int64_t start = 0;
    int64_t clips = 0;
    int width = 0;
    double fov_degrees = 60;
    double max_clip_gib = 4;
    std::string caption;

    static auto schema() {
      return std::tuple{
          param("path", &Params::path, "The video file (anything FFmpeg reads).").required().file(),
          param("frames", &Params::frames, "Frames of a clip, T.").between(1, 4096),
          param("stride", &Params::stride, "Use every n-th frame of the video.").between(1, 10000),
          param("hop", &Params::hop,
                "Video frames from the start of one clip to the next; 0 = frames x stride (no "
                "overlap).")
              .unit("frames")
              .at_least(0),
          param("start", &Params::start, "First video frame used.").unit("frames").at_least(0),
          param("clips", &Params::clips, "Stop after so many clips; 0 = to the end.")
              .at_least(0)
              .runtime_only(),
          param("width", &Params::width, "Shrink wider frames to this width; 0 keeps the size.")
              .unit("px")
              .between(0, 32768),
          param("fov_degrees", &Params::fov_degrees,
                "Horizontal field of view of the camera; a video does not tell it.")
              .unit("degrees")
              .above(0)
              .below(180),
          param("max_clip_gib", &Params::max_clip_gib,
                "Refuse clips whose frames alone take more memory.")
              .unit("GiB")
              .above(0)
              .runtime_only(),
          param("caption", &Params::caption, "Caption given to every clip."),
      };
    }
  };

  explicit VideoSource(Params params) : params_(std::move(params)), path_(params_.path) {
    hop_ = params_.hop > 0 ? params_.hop : int64_t{params_.frames} * params_.stride;
    span_ = int64_t{params_.frames - 1} * params_.stride;
  }

  int64_t size() override {
    const std::scoped_lock lock(mutex_);
    return count_clips();
  }

  momap::Clip sample(int64_t i, const momap::Context& context) override {
    const std::scoped_lock lock(mutex_);
    const int64_t count = count_clips();
    if (i < 0 || i >= count) {
      throw DataError(fmt::format("{}: clip {} does not exist; there are {} (0 to {})",
                                  momap::shown(path_), i, count, count - 1));
    }
    const int64_t first = params_.start + i * hop_;
    decode_through(i, context);
    const cv::Mat& reference = kept_.at(first);
    const int64_t height = reference.rows, width = reference.cols;
    momap::Clip clip;
    clip.frames = at::empty({params_.frames, height, width, 3}, at::kByte);
    uint8_t* out = clip.frames.data_ptr<uint8_t>();
    for (int64_t k = 0; k < params_.frames; ++k) {
      const cv::Mat& frame = kept_.at(first + k * params_.stride);
      if (frame.size() != reference.size()) {
        throw DataError(fmt::format(
            "{}: frame {} is {} x {} px, frame {} is {} x {}; the frames of a clip must agree",
            momap::shown(path_), first + k * params_.stride, frame.cols, frame.rows, first, width,
            height));
      }
      std::memcpy(out, frame.data, static_cast<size_t>(height * width * 3));
      out += height * width * 3;
    }
    clip.fps = stream().fps() / params_.stride;
    const double half_width = 0.5 * static_cast<double>(width);
    const double focal = half_width / std::tan(params_.fov_degrees * std::numbers::pi / 360);
    clip.camera = momap::Camera{
        focal, focal, 0.5 * static_cast<double>(width - 1), 0.5 * static_cast<double>(height - 1),
        width, height};
    clip.caption = params_.caption;
    return clip;
  }

  std::string name(int64_t i) override {
    std::string stem = path_.stem().string();
    for (char& c : stem) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!plain && c != '-' && c != '_' && c != '.') c = '_';
    }
    return fmt::format("{}_{:06d}", stem, params_.start + i * hop_);
  }

  std::string fingerprint(int64_t i) override {
    const std::scoped_lock lock(mutex_);
    if (hash_.empty()) hash_ = momap::file_hash(path_);
    return fmt::format("{}-{}", hash_, i);
  }

 private:
  momap::FrameStream& stream() {
    if (!stream_) stream_ = std::make_unique<momap::FrameStream>(path_);
    return *stream_;
  }

  int64_t count_clips() {
    stream().check_clip_fits(params_.frames, params_.width, params_.max_clip_gib);
    const int64_t frames = stream().claimed_frames();
    if (frames <= 0) {
      throw DataError(fmt::format(
          "{}: the container does not tell how many frames it has; rewrite it, for example with "
          "`ffmpeg -i IN -c copy OUT.mp4`",
          momap::shown(path_)));
    }
    const int64_t spare = frames - 1 - params_.start - span_;
    if (spare < 0) {
      throw DataError(fmt::format(
          "{}: has {} frames, but frames = {} with stride = {} from start = {} needs {}; lower one "
          "of them",
          momap::shown(path_), frames, params_.frames, params_.stride, params_.start,
          params_.start + span_ + 1));
    }
    const int64_t all = spare / hop_ + 1;
    return params_.clips > 0 ? std::min(all, params_.clips) : all;
  }

  // Whether a clip from `first` on, at any of the coming hops, holds this video frame.
  bool wanted(int64_t frame, int64_t first) const {
    for (int64_t from = first; from <= frame; from += hop_) {
      const int64_t ahead = frame - from;
      if (ahead <= span_ && ahead % params_.stride == 0) return true;
    }
    return false;
  }

  // Leaves the frames of clip i in `kept_`, besides those that later clips share with it.
  void decode_through(int64_t i, const momap::Context& context) {
    const int64_t first = params_.start + i * hop_;
    for (int64_t k = 0; k < params_.frames; ++k) {
      const int64_t frame = first + k * params_.stride;
      if (frame < stream().position() && !kept_.contains(frame)) {
        kept_.clear();
        stream().rewind();
        break;
      }
    }
    kept_.erase(kept_.begin(), kept_.lower_bound(first));
    while (stream().position() <= first + span_) {
      context.check_cancelled();
      const int64_t frame = stream().position();
      if (!stream().advance()) {
        throw DataError(fmt::format(
            "{}: the container claims {} frames, {} were found (a truncated file?); clip {} needs "
            "frames {} to {}",
            momap::shown(path_), stream().claimed_frames(), frame, i, first, first + span_));
      }
      if (frame >= first && wanted(frame, first)) kept_[frame] = stream().rgb(params_.width);
    }
  }

  Params params_;
  std::filesystem::path path_;
  int64_t hop_ = 0;   // video frames
  int64_t span_ = 0;  // video frames from the first to the last of a clip
  std::mutex mutex_;
  std::unique_ptr<momap::FrameStream> stream_;
  std::map<int64_t, cv::Mat> kept_;  // by video frame index; u8 RGB
  std::string hash_;
};

}  // namespace

MOMAP_PLUGIN(VideoSource, "source/video", 1,
             "Cuts a video file into clips of T frames, decoding it once from front to back.");
