// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/photo.hpp>
#include <opencv2/xphoto/inpainting.hpp>

#include "../frame_by_frame.h"

namespace {

/// Fills the holes of one frame in place; covered pixels keep their bytes.
void inpaint(uint8_t* rgb, const bool* covered, int height, int width, double radius_px,
             int method) {
  cv::Mat holes(height, width, CV_8U);
  std::transform(covered, covered + holes.total(), holes.data,
                 [](bool is_covered) { return is_covered ? 0 : 255; });
  if (cv::countNonZero(holes) == 0) return;
  cv::Mat frame(height, width, CV_8UC3, rgb), filled;
  // cv::inpaint takes differences across rows and columns and reads outside a frame that has only
  // one or two; its Navier-Stokes colours go dark in holes near the upper border.
  const int border = method == cv::INPAINT_NS ? 3 * cvCeil(radius_px) : height < 3 || width < 3;
  cv::Mat wide_frame, wide_holes;
  cv::copyMakeBorder(frame, wide_frame, border, border, border, border, cv::BORDER_REPLICATE);
  cv::copyMakeBorder(holes, wide_holes, border, border, border, border, cv::BORDER_REPLICATE);
  cv::inpaint(wide_frame, wide_holes, filled, radius_px, method);
  filled = filled(cv::Rect(border, border, width, height));
  filled.copyTo(frame, holes);
}

/// Every frame by itself with cv::inpaint.
template <int kMethod>
class OpenCvInpaint : public momap::Completer {
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

  explicit OpenCvInpaint(Params params) : params_(params) {}

  momap::Clip complete(const momap::PartialClip& partial, const momap::Context& context) override {
    const auto height = static_cast<int>(partial.frames.size(1));
    const auto width = static_cast<int>(partial.frames.size(2));
    return momap::completion::complete_frames(
        partial, kMethod == cv::INPAINT_TELEA ? "completion/telea" : "completion/navier_stokes",
        context, [&](int64_t, uint8_t* rgb, const bool* covered) {
          inpaint(rgb, covered, height, width, params_.radius_px, kMethod);
        });
  }

 private:
  Params params_;
};

using Telea = OpenCvInpaint<cv::INPAINT_TELEA>;
using NavierStokes = OpenCvInpaint<cv::INPAINT_NS>;

/// Every frame by itself with cv::xphoto::inpaint.
class FrequencySelective final : public momap::Completer {
 public:
  struct Params {
    std::string quality = "fast";

    static auto schema() {
      return std::tuple{
          momap::param("quality", &Params::quality, "`best` takes several times as long.")
              .one_of({"fast", "best"}),
      };
    }
  };

  explicit FrequencySelective(Params params) : params_(std::move(params)) {}

  momap::Clip complete(const momap::PartialClip& partial, const momap::Context& context) override {
    const auto height = static_cast<int>(partial.frames.size(1));
    const auto width = static_cast<int>(partial.frames.size(2));
    const int method =
        params_.quality == "fast" ? cv::xphoto::INPAINT_FSR_FAST : cv::xphoto::INPAINT_FSR_BEST;
    return momap::completion::complete_frames(
        partial, "completion/frequency_selective", context,
        [&](int64_t, uint8_t* rgb, const bool* covered) {
          cv::Mat known(height, width, CV_8U);
          std::transform(covered, covered + known.total(), known.data,
                         [](bool is_covered) { return is_covered ? 255 : 0; });
          const cv::Mat holes = known == 0;
          if (cv::countNonZero(holes) == 0) return;
          cv::Mat frame(height, width, CV_8UC3, rgb), wide_frame, wide_known, filled;
          // Its blocks take what lies beside the frame for black.
          constexpr int kBorder = 16;
          cv::copyMakeBorder(frame, wide_frame, kBorder, kBorder, kBorder, kBorder,
                             cv::BORDER_REFLECT);
          cv::copyMakeBorder(known, wide_known, kBorder, kBorder, kBorder, kBorder,
                             cv::BORDER_REFLECT);
          cv::xphoto::inpaint(wide_frame, wide_known, filled, method);
          filled(cv::Rect(kBorder, kBorder, width, height)).copyTo(frame, holes);
        });
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(FrequencySelective, "completion/frequency_selective", 1,
             "Fills holes by frequency selective reconstruction (Seiler and Kaup 2015); slow.");
MOMAP_PLUGIN(Telea, "completion/telea", 1,
             "Fills holes from their rim inwards by fast marching (Telea 2004).");
MOMAP_PLUGIN(NavierStokes, "completion/navier_stokes", 1,
             "Fills holes by continuing lines of equal brightness (Bertalmio et al. 2001).");
