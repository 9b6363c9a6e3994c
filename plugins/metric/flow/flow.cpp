// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include <array>
#include <optional>

#include "../motion.h"
#include "../poses.h"
#include "../values.h"

namespace {

using momap::metric::Motion;

constexpr double kOutlierPx = 3;        // KITTI 2015: an outlier is off by more than 3 px ...
constexpr double kOutlierShare = 0.05;  // ... and by more than 5 % of the true flow

/// Errors over one set of pixels.
struct Errors {
  double sum = 0, predicted = 0;    // px; pixels with a prediction
  double outliers = 0, pixels = 0;  // a pixel without a prediction is an outlier
};

/// Optical flow from frame 0 to frame 1 of the motion seen by the camera, against the true flow of
/// a data set. The camera's own motion is taken from the reference clip; without it the camera is
/// taken to rest.
class Flow final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: momap, reference: clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit Flow(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const auto& clip = *inputs.get<momap::Clip>("reference");
    const Motion result(*inputs.get<momap::MoMap>("result"), "the result", "metric/flow");
    std::string undefined = reason_without_flow(clip, result);
    Errors all, seen, hidden;
    if (undefined.empty()) {
      require_size(clip, result);
      add_up(clip, result, context, all, seen, hidden);
      undefined = "the true flow is known nowhere in frame 0";
    }
    momap::Score score;
    const auto add = [&](const char* suffix, const Errors& errors, const std::string& reason) {
      const auto named = [&](const char* name) { return std::string(name).append(suffix); };
      score.values.push_back(momap::metric::mean(
          momap::metric::error(named("epe2d"), "px"), errors.sum, errors.predicted,
          errors.pixels > 0 ? "no pixel with true flow has a prediction" : reason));
      score.values.push_back(momap::metric::mean(momap::metric::error(named("fl"), "", 1),
                                                 errors.outliers, errors.pixels, reason));
    };
    const std::string no_mask =
        clip.occluded ? std::string() : "the reference does not say what is occluded";
    const auto of_part = [&](const char* part) {
      if (all.pixels == 0) return undefined;
      return clip.occluded ? fmt::format("no pixel with true flow is {}", part) : no_mask;
    };
    add("", all, undefined);
    add("_visible", seen, of_part("visible in frame 1"));
    add("_occluded", hidden, of_part("occluded in frame 1"));
    score.values.push_back(momap::metric::mean(momap::metric::share("flow_coverage"), all.predicted,
                                               all.pixels, undefined));
    return score;
  }

 private:
  static std::string reason_without_flow(const momap::Clip& clip, const Motion& result) {
    if (!clip.flow) return "the reference has no true flow";
    if (result.frames() < 2) return "the motion map has no frame after frame 0";
    return "";
  }

  static void require_size(const momap::Clip& clip, const Motion& result) {
    if (clip.height() == result.height() && clip.width() == result.width() && clip.length() > 1) {
      return;
    }
    throw momap::DataError(
        fmt::format("metric/flow: the result is {} x {} px but the flow {} x {} px of {} frames; "
                    "give both the same size and two frames at least",
                    result.width(), result.height(), clip.width(), clip.height(), clip.length()));
  }

  static void add_up(const momap::Clip& clip, const Motion& result, const momap::Context& context,
                     Errors& all, Errors& seen, Errors& hidden) {
    const at::Tensor flow = clip.flow->select(0, 0).contiguous();
    const at::Tensor occluded =
        clip.occluded ? clip.occluded->select(0, 0).contiguous() : at::Tensor();
    const momap::metric::CameraFrames frames(&clip);
    const auto* truth = flow.data_ptr<float>();
    for (int64_t i = 0; i < result.pixels(); ++i) {
      if (i % result.width() == 0) context.check_cancelled();
      const double u = truth[2 * i], v = truth[2 * i + 1];
      if (!std::isfinite(u + v)) continue;
      const auto error = error_at(result, frames, i, u, v);
      Errors* part = nullptr;
      if (clip.occluded) part = occluded.data_ptr<bool>()[i] ? &hidden : &seen;
      for (Errors* errors : {&all, part}) {
        if (!errors) continue;
        ++errors->pixels;
        if (error) errors->sum += *error, ++errors->predicted;
        errors->outliers +=
            !error || (*error > kOutlierPx && *error > kOutlierShare * std::hypot(u, v));
      }
    }
  }

  // Distance of the predicted from the true flow, px; none without a prediction in front of the
  // camera.
  static std::optional<double> error_at(const Motion& result,
                                        const momap::metric::CameraFrames& frames, int64_t i,
                                        double u, double v) {
    if (!result.valid(i)) return std::nullopt;
    const float* p = result.at(1, i);
    if (!std::isfinite(p[0] + p[1] + p[2])) result.refuse_not_finite();
    const auto now = frames(1, p);
    if (now[2] <= 0) return std::nullopt;
    const momap::Camera& camera = result.camera();
    const double x = camera.fx * now[0] / now[2] + camera.cx;
    const double y = camera.fy * now[1] / now[2] + camera.cy;
    const int64_t row = i / result.width(), column = i % result.width();
    return std::hypot(x - static_cast<double>(column) - u, y - static_cast<double>(row) - v);
  }
};

}  // namespace

MOMAP_PLUGIN(Flow, "metric/flow", 1,
             "End-point error and outliers of the projected motion from frame 0 to 1, visible and "
             "occluded pixels apart.");
