// SPDX-License-Identifier: Apache-2.0
#include <draw/draw.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <opencv2/imgproc.hpp>

#include "encoder.h"
#include "picture_folder.h"

namespace {

namespace draw = momap::draw;
namespace fs = std::filesystem;

/// 128 where both are alike, brighter where `picture` is; half of the difference. RGB.
cv::Mat difference(const cv::Mat& picture, const cv::Mat& reference) {
  cv::Mat out;
  cv::addWeighted(picture, 0.5, reference, -0.5, 128, out);
  return out;
}

class VideoOutput final : public momap::Output {
 public:
  static constexpr const char* kInputs =
      "value: clip | momap | partial_clip, image: clip?, reference: clip?";

  struct Params {
    double fps = 0;
    std::string format = "mp4";
    int64_t spacing_px = 0;
    int scale = 1;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("fps", &Params::fps,
                "Frames a second; 0 = as the value or the image says, 10 when neither does.")
              .unit("1/s")
              .between(0, 1000),
          param("format", &Params::format,
                "mp4: H.264, plays in browsers. webp, gif: a moving picture for a page or a talk; "
                "gif "
                "has 256 colours. avi: Motion JPEG, needs no encoder library. png: a folder with a "
                "picture for each frame, without loss.")
              .one_of({"mp4", "webp", "gif", "avi", "png"}),
          param("spacing_px", &Params::spacing_px,
                "Distance between the paths of a motion map; 0 = by the size.")
              .unit("px")
              .at_least(0),
          param("scale", &Params::scale, "Enlarges the picture this many times.").between(1, 16),
      };
    }
  };

  explicit VideoOutput(Params params) : params_(std::move(params)) {}

  fs::path write(const momap::Inputs& inputs, const fs::path& stem,
                 const momap::Context& context) override {
    momap::video_output::Video video = video_of(inputs);
    if (video.frames < 1) throw momap::DataError("output/video: the value has no frame");
    if (const auto* reference = inputs.get<momap::Clip>("reference")) put_beside(*reference, video);
    video.frame = [&context, paint = std::move(video.frame)](int64_t t) {
      context.check_cancelled();
      return paint(t);
    };
    if (params_.format == "png") {
      momap::video_output::write_pictures(video, stem);
      return stem;
    }
    fs::path path = stem;
    path += "." + params_.format;
    momap::AtomicFile file(path);
    momap::video_output::encode(video, file.temporary(), momap::shown(path));
    file.commit();
    return path;
  }

 private:
  momap::video_output::Video video_of(const momap::Inputs& inputs) const {
    const auto* image = inputs.get<momap::Clip>("image");
    const double image_fps = image ? image->fps : 0;
    if (const auto* momap = inputs.get<momap::MoMap>("value")) {
      const cv::Mat ground = draw::track_ground(*momap, image, params_.scale);
      return {momap->frames(), fps(image_fps),
              [=, this, tracks = draw::tracks_of(*momap, params_.spacing_px)](int64_t t) {
                cv::Mat picture = ground.clone();
                draw::draw_tracks(picture, tracks, t, params_.scale);
                return picture;
              }};
    }
    if (const auto* partial = inputs.get<momap::PartialClip>("value")) {
      return {partial->frames.size(0), fps(partial->fps > 0 ? partial->fps : image_fps),
              [=, this](int64_t t) {
                return draw::enlarged(draw::with_holes_marked(*partial, t), params_.scale);
              }};
    }
    const auto& clip = *inputs.get<momap::Clip>("value");
    return {clip.length(), fps(clip.fps > 0 ? clip.fps : image_fps), [&clip, this](int64_t t) {
              return draw::enlarged(draw::photograph(clip.frames, t), params_.scale);
            }};
  }

  /// From left to right: the value, the reference, their difference.
  void put_beside(const momap::Clip& reference, momap::video_output::Video& video) const {
    const cv::Size size = video.frame(0).size();
    const int64_t height = reference.height() * params_.scale;
    const int64_t width = reference.width() * params_.scale;
    if (reference.length() != video.frames || height != size.height || width != size.width) {
      throw momap::DataError(fmt::format(
          "output/video: the reference has {} frames of {} x {} px but the value {} of {} x {}; "
          "give both the same frames and size",
          reference.length(), reference.width(), reference.height(), video.frames,
          size.width / params_.scale, size.height / params_.scale));
    }
    video.frame = [&reference, scale = params_.scale, paint = std::move(video.frame)](int64_t t) {
      const cv::Mat value = paint(t);
      const cv::Mat truth = draw::enlarged(draw::photograph(reference.frames, t), scale);
      cv::Mat row;
      cv::hconcat(std::vector<cv::Mat>{value, truth, difference(value, truth)}, row);
      return row;
    };
  }

  double fps(double known) const {
    constexpr double kUsual = 10;
    return params_.fps > 0 ? params_.fps : known > 0 ? known : kUsual;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(
    VideoOutput, "output/video", 2,
    "Writes a clip, or the paths of a motion map as they grow, as a video; with a reference, "
    "side by side with it and their difference.");
