// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "../motion.h"
#include "../moving_threshold.h"
#include "../values.h"

namespace {

using momap::metric::Motion;

/// Mean displacement from frame 0 that an extracted map gives to truly static points: what is left
/// of the camera's motion.
class StaticDrift final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: momap, reference: momap | clip";

  struct Params {
    double moving_threshold_m = momap::metric::kMovingThreshold;

    static auto schema() {
      return std::tuple{
          momap::metric::moving_threshold(&Params::moving_threshold_m),
      };
    }
  };

  explicit StaticDrift(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Motion reference = momap::metric::reference_motion(inputs, "metric/static_drift");
    const Motion result = momap::metric::result_motion(inputs, reference, "metric/static_drift");
    double sum = 0, count = 0;
    for (int64_t i = 0; i < reference.pixels(); ++i) {
      if (i % reference.width() == 0) context.check_cancelled();
      if (!reference.valid(i) || !result.valid(i)) continue;
      if (reference.peak(i) >= params_.moving_threshold_m) continue;
      for (int64_t t = 1; t < reference.frames(); ++t) {
        sum += momap::metric::distance(result.at(t, i), result.at(0, i));
        ++count;
      }
    }
    if (!std::isfinite(sum)) result.refuse_not_finite();
    return {{momap::metric::mean(momap::metric::error("static_drift", "m"), sum, count,
                                 reference.frames() < 2
                                     ? "the motion map has no frame after frame 0"
                                     : "no static point of the reference has a prediction")}};
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(StaticDrift, "metric/static_drift", 1,
             "Mean displacement of truly static points: how well camera motion was taken out.");
