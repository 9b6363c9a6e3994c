// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <cmath>

#include "raster.h"
#include "surface.h"

namespace {

using momap::DataError;
using momap::Image;
using momap::MoMap;

void require(bool holds, const std::string& message) {
  if (!holds) throw DataError(message);
}

void check_inputs(const Image& image, const MoMap& momap) {
  const auto shape = [](const at::Tensor& tensor) {
    return fmt::format("{}", tensor.sizes().vec());
  };
  require(image.rgb.dim() == 3 && image.rgb.size(2) == 3 && image.rgb.scalar_type() == at::kByte,
          fmt::format("warping/point_splat: image is {} {}; expected u8 [H, W, 3]",
                      at::toString(image.rgb.scalar_type()), shape(image.rgb)));
  require(
      momap.xyz.dim() == 4 && momap.xyz.size(3) == 3 && momap.xyz.scalar_type() == at::kFloat,
      fmt::format("warping/point_splat: xyz of the motion map is {} {}; expected f32 [T, H, W, 3]",
                  at::toString(momap.xyz.scalar_type()), shape(momap.xyz)));
  require(
      image.height() == momap.height() && image.width() == momap.width(),
      fmt::format("warping/point_splat: image is {} x {} px but the motion map {} x {}; resize the "
                  "clip before its motion is extracted or generated",
                  image.width(), image.height(), momap.width(), momap.height()));
  const std::vector<int64_t> frame{momap.height(), momap.width()};
  const std::vector<int64_t> frames{momap.frames(), momap.height(), momap.width()};
  require(momap.valid.scalar_type() == at::kBool && momap.valid.sizes() == at::IntArrayRef(frame),
          fmt::format("warping/point_splat: 'valid' of the motion map is {}; expected bool {}",
                      shape(momap.valid), frame));
  require(
      momap.visible.scalar_type() == at::kBool && momap.visible.sizes() == at::IntArrayRef(frames),
      fmt::format("warping/point_splat: 'visible' of the motion map is {}; expected bool {}",
                  shape(momap.visible), frames));
  const momap::Camera& camera = momap.camera;
  require(camera.fx > 0 && camera.fy > 0 && std::isfinite(camera.fx) && std::isfinite(camera.fy) &&
              std::isfinite(camera.cx) && std::isfinite(camera.cy),
          fmt::format(
              "warping/point_splat: the camera of the motion map has fx = {}, fy = {}, cx = {}, "
              "cy = {}; expected finite numbers, focal lengths above 0",
              camera.fx, camera.fy, camera.cx, camera.cy));
  require(
      camera.width == momap.width() && camera.height == momap.height(),
      fmt::format("warping/point_splat: the camera of the motion map is for {} x {} px but the map "
                  "is {} x {}; rescale the camera with the map",
                  camera.width, camera.height, momap.width(), momap.height()));
}

class PointSplat final : public momap::Warper {
 public:
  struct Params {
    double edge_tolerance = 0.05;
    double max_footprint_px = 4.0;
    bool respect_visible = false;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("edge_tolerance", &Params::edge_tolerance,
                "Neighbours are one surface while their depths differ by less than this share, in "
                "the reference view and in the frame drawn.")
              .above(0)
              .between(0, 1),
          param("max_footprint_px", &Params::max_footprint_px,
                "A surface stretched over more pixels than this per source pixel is torn.")
              .unit("px")
              .between(1, 64),
          param("respect_visible", &Params::respect_visible,
                "Draw only points marked visible; otherwise depth alone decides what hides what."),
      };
    }
  };

  explicit PointSplat(Params params)
      : limits_{static_cast<float>(params.edge_tolerance),
                static_cast<float>(params.max_footprint_px)},
        respect_visible_(params.respect_visible) {}

  momap::PartialClip warp(const Image& image, const MoMap& momap,
                          const momap::Context& context) override {
    check_inputs(image, momap);
    const int64_t frames = momap.frames(), height = momap.height(), width = momap.width();
    const int64_t pixels = height * width;
    momap::PartialClip out;
    out.frames = at::zeros({frames, height, width, 3}, at::kByte);
    out.covered = at::zeros({frames, height, width}, at::kBool);
    out.depth = at::zeros({frames, height, width}, at::kFloat);
    out.dropped = at::zeros({frames}, at::kLong);

    const at::Tensor rgb = image.rgb.contiguous(), xyz = momap.xyz.contiguous();
    const at::Tensor valid = momap.valid.contiguous(), visible = momap.visible.contiguous();
    const auto* points = xyz.data_ptr<float>();
    const bool* seen = respect_visible_ ? visible.data_ptr<bool>() : nullptr;
    const auto* colours = rgb.data_ptr<uint8_t>();
    const momap::point_splat::Canvas canvas{
        out.frames.data_ptr<uint8_t>(), out.covered.data_ptr<bool>(), out.depth.data_ptr<float>()};
    auto* dropped = out.dropped.data_ptr<int64_t>();
    if (frames == 0 || pixels == 0) return out;

    const momap::point_splat::ReferenceGrid reference(points, valid.data_ptr<bool>(), height, width,
                                                      limits_);
    tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
      context.check_cancelled();
      const momap::point_splat::ProjectedSurface surface(points + 3 * pixels * t,
                                                         seen ? seen + pixels * t : nullptr,
                                                         reference, momap.camera, limits_);
      const int64_t outside = momap::point_splat::draw(
          surface, colours, height, width,
          {canvas.rgb + 3 * pixels * t, canvas.covered + pixels * t, canvas.depth + pixels * t});
      dropped[t] = surface.dropped() + outside;
    });
    return out;
  }

 private:
  momap::point_splat::Limits limits_;
  bool respect_visible_;
};

}  // namespace

MOMAP_PLUGIN(PointSplat, "warping/point_splat", 1,
             "Draws the points of a motion map as z-buffered footprints that follow its stretch.");
