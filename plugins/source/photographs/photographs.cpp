// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <set>
#include <string>
#include <vector>

#include "formats/images.h"

// Square pieces of photographs, for networks that learn from plain pictures.

namespace {

namespace fs = std::filesystem;
using momap::ConfigError;
using momap::DataError;

constexpr double kFovDegrees = 60;  // of the piece; what a photograph's camera was nobody asks here

class Photographs final : public momap::Source {
 public:
  struct Params {
    std::vector<std::string> paths;
    std::vector<std::string> leave_out;
    int64_t count = 1000;
    int size = 256;
    int smallest_px = 600;
    int largest_px = 1600;
    int64_t seed = 0;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("paths", &Params::paths,
                "Photographs and folders of them, which are searched to the bottom (jpg, png, "
                "webp, bmp, tiff, ppm).")
              .required(),
          param("leave_out", &Params::leave_out, "Names of files that are not read."),
          param("count", &Params::count, "Pieces, that is samples; photographs are taken in turn.")
              .between(1, 1e9),
          param("size", &Params::size, "Side of a piece.").unit("px").between(8, 4096),
          param("smallest_px", &Params::smallest_px,
                "A photograph is shrunk so that its longer side has between `smallest_px` and "
                "`largest_px`, drawn anew for each piece; never enlarged.")
              .unit("px")
              .between(8, 32768),
          param("largest_px", &Params::largest_px, "See `smallest_px`.")
              .unit("px")
              .between(8, 32768),
          param("seed", &Params::seed, "Of the pieces' places and sizes."),
      };
    }
  };

  explicit Photographs(Params params) : params_(std::move(params)) {
    if (params_.smallest_px > params_.largest_px) {
      throw ConfigError(
          fmt::format("source/photographs: parameter 'smallest_px' = {} is above 'largest_px' = {}",
                      params_.smallest_px, params_.largest_px));
    }
  }

  int64_t size() override {
    list();
    return params_.count;
  }

  momap::Clip sample(int64_t i, const momap::Context&) override {
    const fs::path& path = photograph(i);
    const at::Tensor rgb = momap::formats::read_rgb(path);
    const cv::Mat whole = momap::as_mat(rgb);
    momap::Random random(static_cast<uint64_t>(params_.seed), static_cast<uint64_t>(i));
    const int longest = std::max(whole.cols, whole.rows),
              shortest = std::min(whole.cols, whole.rows);
    if (shortest < params_.size) {
      throw DataError(
          fmt::format("{}: {} x {} px is smaller than a piece, size = {}; leave it out "
                      "or lower 'size'",
                      momap::shown(path), whole.cols, whole.rows, params_.size));
    }
    const double wanted =
        params_.smallest_px + (params_.largest_px - params_.smallest_px) * random.uniform();
    // As small as wanted, but not smaller than a piece.
    const double scale =
        std::min(1.0, std::max(wanted / longest, static_cast<double>(params_.size) / shortest));
    cv::Mat sized = whole;
    if (scale < 1) {
      cv::resize(whole, sized,
                 {std::max(params_.size, cvRound(whole.cols * scale)),
                  std::max(params_.size, cvRound(whole.rows * scale))},
                 0, 0, cv::INTER_AREA);
    }
    const auto left = static_cast<int>(random.below(sized.cols - params_.size + 1));
    const auto top = static_cast<int>(random.below(sized.rows - params_.size + 1));
    momap::Clip clip;
    clip.frames =
        momap::to_tensor(sized({left, top, params_.size, params_.size}).clone()).unsqueeze(0);
    const double focal = 0.5 * params_.size / std::tan(kFovDegrees * std::numbers::pi / 360);
    const double centre = 0.5 * (params_.size - 1);
    clip.camera = momap::Camera{focal, focal, centre, centre, params_.size, params_.size};
    return clip;
  }

  std::string name(int64_t i) override { return fmt::format("piece-{:06}", i); }

  std::string fingerprint(int64_t i) override { return momap::file_hash(photograph(i)); }

 private:
  const fs::path& photograph(int64_t i) {
    list();
    return files_[static_cast<size_t>(i) % files_.size()];
  }

  void list() {
    std::call_once(listed_, [&] {
      std::set<fs::path> all;
      for (const std::string& given : params_.paths) {
        momap::check_exists(given, "paths: " + momap::shown(given));
        if (!fs::is_directory(given)) {
          all.insert(given);
          continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(given)) {
          if (entry.is_regular_file() && is_picture(entry.path())) all.insert(entry.path());
        }
      }
      for (const fs::path& path : all) {
        const bool left_out = std::ranges::count(params_.leave_out, path.filename().string()) > 0;
        if (!left_out) files_.push_back(path);
      }
      if (files_.empty()) {
        throw DataError(
            "source/photographs: there is no photograph under 'paths'; expected jpg, png, webp, "
            "bmp, tiff or ppm");
      }
    });
  }

  static bool is_picture(const fs::path& path) {
    static const std::set<std::string> kSuffixes{".jpg", ".jpeg", ".png",  ".webp",
                                                 ".bmp", ".tif",  ".tiff", ".ppm"};
    std::string suffix = path.extension().string();
    std::ranges::transform(suffix, suffix.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return kSuffixes.contains(suffix);
  }

  Params params_;
  std::once_flag listed_;
  std::vector<fs::path> files_;  // in the order of their paths
};

}  // namespace

MOMAP_PLUGIN(Photographs, "source/photographs", 1,
             "Square pieces of photographs, cut at random places and sizes.");
