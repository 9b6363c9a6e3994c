// SPDX-License-Identifier: Apache-2.0
#include <draw/draw.h>
#include <draw/frame_index.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/plugin/plugin.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace {

namespace draw = momap::draw;
namespace fs = std::filesystem;

class ImageOutput final : public momap::Output {
 public:
  static constexpr const char* kInputs = "value: clip | momap | partial_clip, image: clip?";

  struct Params {
    int64_t frame = -1;
    std::string picture = "displacement";
    double full_px = 0;
    int64_t spacing_px = 0;
    int scale = 1;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("frame", &Params::frame,
                "Frame to show, and up to which motion is shown; negative counts from the end."),
          param(
              "picture", &Params::picture,
              "How a motion map is shown: 2D displacement on a colour wheel, depth of frame 0, or "
              "paths drawn on the image.")
              .one_of({"displacement", "depth", "tracks"}),
          param("full_px", &Params::full_px,
                "Displacement of full colour; 0 = the 99th percentile of the picture.")
              .unit("px")
              .at_least(0),
          param("spacing_px", &Params::spacing_px, "Distance between paths; 0 = by the size.")
              .unit("px")
              .at_least(0),
          param("scale", &Params::scale, "Enlarges the picture this many times.").between(1, 16),
      };
    }
  };

  explicit ImageOutput(Params params) : params_(std::move(params)) {}

  fs::path write(const momap::Inputs& inputs, const fs::path& stem,
                 const momap::Context&) override {
    cv::Mat picture;
    cv::cvtColor(paint(inputs), picture, cv::COLOR_RGB2BGR);
    std::vector<uint8_t> png;
    cv::imencode(".png", picture, png);
    fs::path path = stem;
    path += ".png";
    momap::AtomicFile file(path);
    file.write(std::as_bytes(std::span(png)));
    file.commit();
    return path;
  }

 private:
  cv::Mat paint(const momap::Inputs& inputs) const {
    constexpr const char* kOwner = "output/image";
    if (const auto* momap = inputs.get<momap::MoMap>("value")) {
      const int64_t t = draw::frame_index(params_.frame, momap->frames(), kOwner);
      if (params_.picture == "tracks") {
        cv::Mat picture =
            draw::track_ground(*momap, inputs.get<momap::Clip>("image"), params_.scale);
        draw::draw_tracks(picture, draw::tracks_of(*momap, params_.spacing_px), t, params_.scale);
        return picture;
      }
      return draw::enlarged(params_.picture == "depth"
                                ? draw::depth_picture(*momap)
                                : draw::displacement_picture(*momap, t, params_.full_px),
                            params_.scale);
    }
    if (const auto* partial = inputs.get<momap::PartialClip>("value")) {
      return draw::enlarged(
          draw::with_holes_marked(
              *partial, draw::frame_index(params_.frame, partial->frames.size(0), kOwner)),
          params_.scale);
    }
    const auto& clip = *inputs.get<momap::Clip>("value");
    return draw::enlarged(
        draw::photograph(clip.frames, draw::frame_index(params_.frame, clip.length(), kOwner)),
        params_.scale);
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(ImageOutput, "output/image", 1,
             "Writes a frame, or a picture of a motion map, as PNG.");
