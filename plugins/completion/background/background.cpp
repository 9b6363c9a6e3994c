// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/any.h>
#include <momap/plugin/plugin.h>

#include <optional>

#include "../frame_by_frame.h"
#include "../pyramid/pyramid.h"
#include "plate.h"

namespace {

using momap::background::Plate;

/// Fills holes with what lies behind: in a view that stands still from one plate for the whole
/// clip, so that what is filled in does not flicker; in one that moves each frame from the far
/// side of its own depth edges.
class Background final : public momap::Completer {
 public:
  struct Params {
    double steady_share = 0.7;
    double depth_tolerance = 0.05;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("steady_share", &Params::steady_share,
                "The view stands still when at least this share of pixels keeps its colour from "
                "frame to frame.")
              .between(0, 1),
          param("depth_tolerance", &Params::depth_tolerance,
                "What another frame shows in place of a hole is background unless it is nearer "
                "than the plate by more than this share of depth.")
              .between(0, 1),
      };
    }
  };

  explicit Background(Params params) : params_(params) {}

  momap::Clip complete(const momap::PartialClip& given, const momap::Context& context) override {
    momap::completion::check_shapes(given, "completion/background");
    momap::PartialClip partial = given;
    partial.frames = given.frames.contiguous();
    partial.covered = given.covered.contiguous();
    partial.depth = given.depth.contiguous().clone();
    std::optional<Plate> plate;
    const bool any = partial.covered.any().item<bool>();
    if (any && momap::background::steadiness(partial) >= params_.steady_share) {
      plate = momap::background::make_plate(partial, context);
    }
    const int64_t height = partial.frames.size(1), width = partial.frames.size(2);
    return momap::completion::complete_frames(
        partial, "completion/background", context,
        [&](int64_t t, uint8_t* rgb, const bool* covered) {
          if (plate) {
            fill_from(*plate, partial, t, rgb);
          } else {
            float* depth = partial.depth.data_ptr<float>() + height * width * t;
            momap::completion::fill({rgb, covered, depth, height, width},
                                    momap::background::kBackgroundPreference);
          }
        });
  }

 private:
  /// From the nearest frame that shows the background there, otherwise from the plate.
  void fill_from(const Plate& plate, const momap::PartialClip& partial, int64_t t,
                 uint8_t* rgb) const {
    const int64_t frames = partial.frames.size(0);
    const int64_t pixels = partial.frames.size(1) * partial.frames.size(2);
    const auto* all = partial.frames.data_ptr<uint8_t>();
    const auto* covered = partial.covered.data_ptr<bool>();
    const auto* depth = partial.depth.data_ptr<float>();
    for (int64_t i = 0; i < pixels; ++i) {
      if (covered[t * pixels + i]) continue;
      const uint8_t* from = &plate.rgb[3 * i];
      const auto nearest = static_cast<float>(1 - params_.depth_tolerance) * plate.depth[i];
      const auto shows = [&](int64_t other) {
        const int64_t at = other * pixels + i;
        return other >= 0 && other < frames && covered[at] && depth[at] >= nearest;
      };
      for (int64_t step = 1; step < frames; ++step) {
        if (!shows(t - step) && !shows(t + step)) continue;
        from = all + 3 * ((shows(t - step) ? t - step : t + step) * pixels + i);
        break;
      }
      std::copy_n(from, 3, rgb + 3 * i);
    }
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Background, "completion/background", 1,
             "Fills holes with what lies behind what moved, the same through the whole clip.");
