// SPDX-License-Identifier: Apache-2.0
#include <draw/draw.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <opencv2/imgproc.hpp>

#include "encoder.h"

namespace {

namespace draw = momap::draw;
namespace fs = std::filesystem;

class VideoOutput final : public momap::Output {
 public:
  static constexpr const char* kInputs = "value: clip | momap | partial_clip, image: clip?";

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
                "mp4: H.264, plays in browsers. avi: Motion JPEG, needs no encoder library.")
              .one_of({"mp4", "avi"}),
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
    video.frame = [&context, paint = std::move(video.frame)](int64_t t) {
      context.check_cancelled();
      return paint(t);
    };
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

  double fps(double known) const {
    constexpr double kUsual = 10;
    return params_.fps > 0 ? params_.fps : known > 0 ? known : kUsual;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(VideoOutput, "output/video", 1,
             "Writes a clip, or the paths of a motion map as they grow, as a video.");
