// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numbers>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "frame_stream.h"

namespace {

using momap::DataError;
using momap::param;

// One line of the list.
struct Stretch {
  std::string id;
  std::filesystem::path video;
  int64_t first = 0;
  int64_t frames = 0;
  int64_t stride = 1;
  std::string caption;
};

class ClipList final : public momap::Source {
 public:
  static constexpr auto kConcurrency = momap::Concurrency::serial;

  struct Params {
    std::string path;
    int width = 0;
    double max_clip_gib = 4;
    double fov_degrees = 60;
    std::string caption;

    static auto schema() {
      return std::tuple{
          param("path", &Params::path,
                "List of clips, one JSON object a line: id, video (path from the list's folder), "
                "first (video frame), frames, stride, caption. `momap db build` writes such lists.")
              .required()
              .file(),
          param("width", &Params::width, "Shrink wider frames to this width; 0 keeps the size.")
              .unit("px")
              .between(0, 32768),
          param("fov_degrees", &Params::fov_degrees,
                "Horizontal field of view of the cameras; a video does not tell it.")
              .unit("degrees")
              .above(0)
              .below(180),
          param("max_clip_gib", &Params::max_clip_gib,
                "Refuse clips whose frames alone take more memory.")
              .unit("GiB")
              .above(0)
              .runtime_only(),
          param("caption", &Params::caption, "Caption of clips whose line has none."),
      };
    }
  };

  explicit ClipList(Params params) : params_(std::move(params)) {}

  int64_t size() override {
    const std::scoped_lock lock(mutex_);
    return static_cast<int64_t>(lines().size());
  }

  momap::Clip sample(int64_t i, const momap::Context& context) override {
    const std::scoped_lock lock(mutex_);
    const Stretch stretch = read(i);
    momap::FrameStream& stream = at(stretch);
    stream.check_clip_fits(stretch.frames, params_.width, params_.max_clip_gib);
    momap::Clip clip;
    uint8_t* out = nullptr;
    int64_t height = 0, width = 0;
    const int64_t last = stretch.first + (stretch.frames - 1) * stretch.stride;
    while (stream.position() <= last) {
      context.check_cancelled();
      const int64_t frame = stream.position();
      if (!stream.advance()) {
        throw DataError(fmt::format("{}: ends after {} frames; clip '{}' needs frames {} to {}",
                                    momap::shown(stretch.video), frame,
                                    momap::printable(stretch.id), stretch.first, last));
      }
      if (frame < stretch.first || (frame - stretch.first) % stretch.stride != 0) continue;
      const cv::Mat rgb = stream.rgb(params_.width);
      if (!out) {
        height = rgb.rows;
        width = rgb.cols;
        clip.frames = at::empty({stretch.frames, height, width, 3}, at::kByte);
        out = clip.frames.data_ptr<uint8_t>();
      }
      if (rgb.rows != height || rgb.cols != width) {
        throw DataError(fmt::format("{}: frame {} is {} x {} px, the clip's first is {} x {}",
                                    momap::shown(stretch.video), frame, rgb.cols, rgb.rows, width,
                                    height));
      }
      std::memcpy(out, rgb.data, static_cast<size_t>(height * width * 3));
      out += height * width * 3;
    }
    clip.fps = stream.fps() / static_cast<double>(stretch.stride);
    const double half = 0.5 * static_cast<double>(width);
    const double focal = half / std::tan(params_.fov_degrees * std::numbers::pi / 360);
    clip.camera = momap::Camera{.fx = focal,
                                .fy = focal,
                                .cx = 0.5 * static_cast<double>(width - 1),
                                .cy = 0.5 * static_cast<double>(height - 1),
                                .width = width,
                                .height = height};
    clip.caption = stretch.caption.empty() ? params_.caption : stretch.caption;
    return clip;
  }

  std::string name(int64_t i) override {
    const std::scoped_lock lock(mutex_);
    return read(i).id;
  }

  std::string fingerprint(int64_t i) override {
    const std::scoped_lock lock(mutex_);
    const Stretch stretch = read(i);
    auto& hash = hashes_[stretch.video];
    if (hash.empty()) hash = momap::file_hash(stretch.video);
    return fmt::format("{}-{}-{}-{}-{}", hash, stretch.first, stretch.frames, stretch.stride,
                       stretch.caption);
  }

 private:
  // Where each line begins; the lines themselves stay in the file.
  const std::vector<std::streamoff>& lines() {
    if (file_.is_open()) return lines_;
    file_.open(params_.path, std::ios::binary);
    if (!file_) {
      throw momap::ConfigError(fmt::format("path = {}: the list cannot be opened; check the path",
                                           momap::shown(params_.path)));
    }
    std::string line;
    for (std::streamoff at = 0; std::getline(file_, line); at = file_.tellg()) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) lines_.push_back(at);
      if (file_.eof()) break;
    }
    return lines_;
  }

  Stretch read(int64_t i) {
    if (i < 0 || i >= static_cast<int64_t>(lines().size())) {
      throw DataError(fmt::format("{}: clip {} does not exist; there are {}",
                                  momap::shown(params_.path), i, lines().size()));
    }
    std::string line;
    file_.clear();
    file_.seekg(lines_[static_cast<size_t>(i)]);
    std::getline(file_, line);
    try {
      const auto json = nlohmann::json::parse(line);
      Stretch stretch{.id = json.at("id"),
                      .video = std::filesystem::path(params_.path).parent_path() /
                               json.at("video").get<std::string>(),
                      .first = json.at("first"),
                      .frames = json.at("frames"),
                      .stride = json.value("stride", int64_t{1}),
                      .caption = json.value("caption", "")};
      const bool plain = !stretch.id.empty() && std::ranges::all_of(stretch.id, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
      });
      if (!plain) refuse(i, "'id' is not made of letters, digits, '-', '_' and '.'");
      if (stretch.first < 0 || stretch.frames < 1 || stretch.frames > 4096 || stretch.stride < 1 ||
          stretch.stride > 10000) {
        refuse(i, "expected first >= 0, frames from 1 to 4096 and stride from 1 to 10000");
      }
      return stretch;
    } catch (const nlohmann::json::exception& error) {
      refuse(i, error.what());
    }
  }

  [[noreturn]] void refuse(int64_t i, const std::string& what) const {
    throw DataError(
        fmt::format("{}: clip {}: {}", momap::shown(params_.path), i, momap::printable(what)));
  }

  // The clip's video, before its first frame.
  momap::FrameStream& at(const Stretch& stretch) {
    if (!stream_ || open_ != stretch.video) {
      stream_.reset();
      stream_ = std::make_unique<momap::FrameStream>(stretch.video);
      open_ = stretch.video;
    }
    if (stream_->position() > stretch.first) stream_->rewind();
    return *stream_;
  }

  Params params_;
  std::mutex mutex_;
  std::ifstream file_;
  std::vector<std::streamoff> lines_;
  std::filesystem::path open_;
  std::unique_ptr<momap::FrameStream> stream_;
  std::map<std::filesystem::path, std::string> hashes_;
};

}  // namespace

MOMAP_PLUGIN(ClipList, "source/clips", 1,
             "Reads the clips of a list, each a stretch of a video file.");
