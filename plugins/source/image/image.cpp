// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "formats/photo_header.h"

namespace {

using momap::ConfigError;
using momap::DataError;
using momap::param;

constexpr double kDefaultFovDegrees = 60;
constexpr double kFilmDiagonalMm = 43.27;

class ImageSource final : public momap::Source {
 public:
  struct Params {
    std::string path;
    std::string prompt;
    int width = 0;
    double fov_degrees = 0;
    double max_megapixels = 100;

    static auto schema() {
      return std::tuple{
          param("path", &Params::path, "The photograph (jpg, png, webp, bmp, tiff ...).")
              .required()
              .file(),
          param("prompt", &Params::prompt, "Caption of the clip: what shall happen, in words."),
          param("width", &Params::width, "Shrink wider images to this width; 0 keeps the size.")
              .unit("px")
              .between(0, 32768),
          param(
              "fov_degrees", &Params::fov_degrees,
              "Horizontal field of view; 0 takes it from EXIF (35 mm focal length) or, where that "
              "is absent, assumes 60.")
              .unit("degrees")
              .at_least(0)
              .below(180),
          param("max_megapixels", &Params::max_megapixels, "Refuse larger images.")
              .unit("Mpx")
              .above(0)
              .runtime_only(),
      };
    }
  };

  explicit ImageSource(Params params) : params_(std::move(params)), path_(params_.path) {}

  int64_t size() override {
    read_bytes();
    return 1;
  }

  momap::Clip sample(int64_t, const momap::Context&) override {
    const std::string bytes = read_bytes();
    const momap::PhotoHeader header = momap::read_photo_header(bytes);
    if (header.width && header.height) check_size(*header.width, *header.height);
    if (header.truncated) {
      throw DataError(
          fmt::format("{}: the JPEG ends before its end marker (a truncated file?); "
                      "copy or download it again",
                      momap::shown(path_)));
    }
    cv::Mat rgb = decode(bytes);
    check_size(rgb.cols, rgb.rows);
    momap::Clip clip;
    momap::Camera camera = camera_of(header, rgb.cols, rgb.rows);
    if (params_.width > 0 && rgb.cols > params_.width) {
      const double scale = static_cast<double>(params_.width) / rgb.cols;
      const int height = std::max(1, static_cast<int>(std::lround(rgb.rows * scale)));
      cv::Mat small;
      cv::resize(rgb, small, {params_.width, height}, 0, 0, cv::INTER_AREA);
      rgb = small;
      camera = camera.resized(rgb.cols, rgb.rows);
    }
    clip.frames = momap::to_tensor(rgb).unsqueeze(0);
    clip.camera = camera;
    clip.caption = params_.prompt;
    return clip;
  }

  std::string name(int64_t) override {
    std::string name = path_.stem().string();
    for (char& c : name) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!plain && c != '-' && c != '_' && c != '.') c = '_';
    }
    return name.empty() ? "image" : name;
  }

  std::string fingerprint(int64_t) override { return momap::file_hash(path_); }

 private:
  std::string read_bytes() const {
    namespace fs = std::filesystem;
    momap::check_exists(path_, "path = " + momap::shown(path_));
    if (fs::is_directory(path_)) {
      throw ConfigError(
          fmt::format("path = {}: is a folder; expected one photograph", momap::shown(path_)));
    }
    // Compressed formats are smaller than the pixels they hold; raw 16-bit RGBA takes 8 bytes a
    // pixel.
    const double limit = 8e6 * params_.max_megapixels + (1 << 20);
    std::string bytes =
        momap::read_file(path_, static_cast<uint64_t>(std::min(limit, 2147483647.0)));
    if (bytes.empty()) {
      throw DataError(fmt::format("{}: the file is empty (0 bytes)", momap::shown(path_)));
    }
    return bytes;
  }

  void check_size(int64_t width, int64_t height) const {
    const double megapixels = 1e-6 * static_cast<double>(width) * static_cast<double>(height);
    if (megapixels <= params_.max_megapixels) return;
    throw DataError(
        fmt::format("{}: {} x {} = {:.1f} megapixels is more than max_megapixels = {}; "
                    "raise it or shrink the image",
                    momap::shown(path_), width, height, megapixels, params_.max_megapixels));
  }

  cv::Mat decode(const std::string& bytes) const {
    cv::Mat bgr;
    std::string reason = "OpenCV knows no decoder for it, or the data are corrupt";
    try {
      const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8U,
                           const_cast<char*>(bytes.data()));
      bgr = cv::imdecode(buffer, cv::IMREAD_COLOR);  // 8 bit, no alpha, upright (EXIF)
    } catch (const cv::Exception& error) {
      reason = error.err;
    }
    if (bgr.empty()) {
      throw DataError(
          fmt::format("{}: cannot be decoded as an image: {}; expected jpg, png, webp, "
                      "bmp or tiff",
                      momap::shown(path_), reason));
    }
    cv::cvtColor(bgr, bgr, cv::COLOR_BGR2RGB);
    return bgr;
  }

  momap::Camera camera_of(const momap::PhotoHeader& header, int64_t width, int64_t height) const {
    const double w = static_cast<double>(width), h = static_cast<double>(height);
    const double fov = params_.fov_degrees > 0 ? params_.fov_degrees : kDefaultFovDegrees;
    double focal = 0.5 * w / std::tan(fov * std::numbers::pi / 360);
    if (params_.fov_degrees == 0 && header.focal_length_35mm) {
      // By the diagonal, so that it holds for any aspect ratio and orientation.
      focal = *header.focal_length_35mm * std::hypot(w, h) / kFilmDiagonalMm;
    }
    return {focal, focal, 0.5 * (w - 1), 0.5 * (h - 1), width, height};
  }

  Params params_;
  std::filesystem::path path_;
};

}  // namespace

MOMAP_PLUGIN(ImageSource, "source/image", 1, "Reads one photograph as a clip of one frame.");
