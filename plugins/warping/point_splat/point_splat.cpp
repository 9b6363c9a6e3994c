// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <momap/plugin/plugin.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <string>
#include <vector>

#include "frame.h"
#include "projection/far_points.h"
#include "projection/inputs.h"

namespace {

using momap::warping::FramePainter;

/// What a thread keeps from one frame to the next.
struct Worker {
  FramePainter painter;
  std::vector<float> depth;  // z-buffer where it is finer than the picture
};

class PointSplat final : public momap::Warper {
 public:
  struct Params {
    double edge_tolerance = 0.05;
    double max_footprint_px = 4.0;
    int samples = 1;
    bool respect_visible = false;
    std::string unknown_depth = "far";

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("edge_tolerance", &Params::edge_tolerance,
                "Neighbours are one surface while their depths differ by less than this share, in "
                "the reference view and in the frame drawn.")
              .above(0)
              .between(0, 0.5),
          param("max_footprint_px", &Params::max_footprint_px,
                "A surface stretched over more pixels than this per source pixel is torn.")
              .unit("px")
              .between(1, 64),
          param("samples", &Params::samples,
                "Anti-aliasing: the picture is drawn this many times finer along each side and "
                "averaged. Time grows with its square.")
              .between(1, 4),
          param("respect_visible", &Params::respect_visible,
                "Draw only points marked visible; otherwise depth alone decides what hides what."),
          momap::warping::unknown_depth_param(&Params::unknown_depth),
      };
    }
  };

  explicit PointSplat(Params params) : params_(std::move(params)) {}

  momap::PartialClip warp(const momap::Image& image, const momap::MoMap& given,
                          const momap::View& view, const momap::Context& context) override {
    const int samples = params_.samples;
    momap::warping::check_inputs("warping/point_splat", image, given, view, samples);
    const momap::MoMap momap = momap::warping::to_draw(given, params_.unknown_depth);
    const int64_t frames = momap.frames(), points = momap.height() * momap.width();
    const int64_t height = view.camera.height, width = view.camera.width, pixels = height * width;
    momap::PartialClip out;
    out.frames = at::empty({frames, height, width, 3}, at::kByte);
    out.covered = at::empty({frames, height, width}, at::kBool);
    out.depth = at::empty({frames, height, width}, at::kFloat);
    out.dropped = at::zeros({frames, momap::kDropReasons}, at::kLong);

    const at::Tensor rgb = image.rgb.contiguous(), xyz = momap.xyz.contiguous();
    const at::Tensor valid = momap.valid.contiguous(), visible = momap.visible.contiguous();
    const auto* positions = xyz.data_ptr<float>();
    const bool* seen = params_.respect_visible ? visible.data_ptr<bool>() : nullptr;
    auto* frame_rgb = out.frames.data_ptr<uint8_t>();
    bool* frame_covered = out.covered.data_ptr<bool>();
    auto* frame_depth = out.depth.data_ptr<float>();
    auto* dropped = out.dropped.data_ptr<int64_t>();

    const momap::warping::Limits limits{static_cast<float>(params_.edge_tolerance),
                                        static_cast<float>(params_.max_footprint_px * samples)};
    const momap::warping::Reference reference(rgb.data_ptr<uint8_t>(), positions,
                                              valid.data_ptr<bool>(), momap.camera,
                                              limits.edge_tolerance);
    const auto lone_x = static_cast<float>(samples * view.camera.fx / momap.camera.fx);
    const auto lone_y = static_cast<float>(samples * view.camera.fy / momap.camera.fy);
    const bool as_reference =
        !seen && !view.cam_from_reference && view.camera == momap.camera && samples == 1;
    tbb::enumerable_thread_specific<Worker> workers([&] {
      return Worker{FramePainter(reference, limits, width * samples, height * samples),
                    std::vector<float>(samples > 1 ? pixels * samples * samples : 0)};
    });
    tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
      context.check_cancelled();
      Worker& worker = workers.local();
      float* const depth = frame_depth + t * pixels;
      worker.painter.draw({positions + 3 * points * t, valid.data_ptr<bool>(),
                           seen ? seen + points * t : nullptr, as_reference ? positions : nullptr},
                          momap::warping::Projection(view, t, samples), lone_x, lone_y,
                          samples > 1 ? worker.depth.data() : depth,
                          dropped + t * momap::kDropReasons);
      worker.painter.canvas().resolve(samples, frame_rgb + 3 * t * pixels,
                                      frame_covered + t * pixels, depth);
    });
    return out;
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(PointSplat, "warping/point_splat", 3,
             "Draws the points of a motion map as z-buffered footprints that follow its stretch.");
