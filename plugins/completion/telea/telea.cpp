// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <momap/data/opencv.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/photo.hpp>

#include "../evidence.h"

namespace {

/// Fills the holes of one frame in place; covered pixels keep their bytes.
void inpaint(uint8_t* rgb, const bool* covered, int height, int width, double radius_px) {
  cv::Mat holes(height, width, CV_8U);
  std::transform(covered, covered + holes.total(), holes.data,
                 [](bool is_covered) { return is_covered ? 0 : 255; });
  if (cv::countNonZero(holes) == 0) return;
  cv::Mat frame(height, width, CV_8UC3, rgb), filled;
  if (height < 3 || width < 3) {
    // cv::inpaint takes differences across rows and columns and reads outside a frame that has only
    // one or two.
    cv::Mat wide_frame, wide_holes;
    cv::copyMakeBorder(frame, wide_frame, 1, 1, 1, 1, cv::BORDER_REPLICATE);
    cv::copyMakeBorder(holes, wide_holes, 1, 1, 1, 1, cv::BORDER_REPLICATE);
    cv::inpaint(wide_frame, wide_holes, filled, radius_px, cv::INPAINT_TELEA);
    filled = filled(cv::Rect(1, 1, width, height));
  } else {
    cv::inpaint(frame, holes, filled, radius_px, cv::INPAINT_TELEA);
  }
  filled.copyTo(frame, holes);
}

class Telea final : public momap::Completer {
 public:
  struct Params {
    double radius_px = 4.0;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("radius_px", &Params::radius_px,
                "How far around a hole pixel known pixels are looked at.")
              .unit("px")
              .between(1, 100),
      };
    }
  };

  explicit Telea(Params params) : params_(params) {}

  momap::Clip complete(const momap::PartialClip& partial, const momap::Context& context) override {
    constexpr const char* kOwner = "completion/telea";
    momap::completion::check_shapes(partial, kOwner);
    const std::vector<int64_t> evidence = momap::completion::evidence_frames(partial, kOwner);

    momap::Clip clip;
    clip.frames = partial.frames.contiguous().clone();
    clip.fps = partial.fps;
    clip.covered = partial.covered.contiguous().clone();
    const int64_t frames = clip.length(), pixels = clip.height() * clip.width();
    auto* rgb = clip.frames.data_ptr<uint8_t>();
    const auto* covered = clip.covered->data_ptr<bool>();

    tbb::parallel_for(int64_t{0}, frames, [&](int64_t t) {
      context.check_cancelled();
      if (evidence[t] != t) return;
      inpaint(rgb + 3 * pixels * t, covered + pixels * t, static_cast<int>(clip.height()),
              static_cast<int>(clip.width()), params_.radius_px);
    });
    for (int64_t t = 0; t < frames; ++t) {
      if (evidence[t] == t) continue;
      std::copy_n(rgb + 3 * pixels * evidence[t], 3 * pixels, rgb + 3 * pixels * t);
    }
    return clip;
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Telea, "completion/telea", 1,
             "Fills holes from their rim inwards by fast marching (Telea 2004).");
