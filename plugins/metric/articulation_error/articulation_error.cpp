// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include "../joint_axis.h"
#include "../moving_threshold.h"
#include "../values.h"

namespace {

constexpr size_t kFewestPoints = 3;  // fewer do not tell a rotation
constexpr double kWorst = 90;        // degrees

/// Angle between the true axis of each articulated part and the axis fitted to how samples move it.
/// A part that a sample leaves at rest has no axis and counts as 90 degrees: standing still is no
/// way round the question. Parts that rest in every true future are not asked for.
class ArticulationError final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "samples: momap*, reference: clip";

  struct Params {
    double moving_threshold_m = momap::metric::kMovingThreshold;

    static auto schema() {
      return std::tuple{
          momap::metric::moving_threshold(&Params::moving_threshold_m),
      };
    }
  };

  explicit ArticulationError(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const momap::metric::Futures futures(inputs, "metric/articulation_error");
    const auto objects = object_pixels(inputs, futures, "metric/articulation_error");
    double degrees = 0, resting = 0, count = 0;
    for (const momap::Joint& joint : inputs.get<momap::Clip>("reference")->joints) {
      const auto found = objects.find(joint.segment);
      if (found == objects.end() || found->second.size() < kFewestPoints) continue;
      const auto& pixels = found->second;
      if (!moves(futures, pixels)) continue;
      std::vector<std::optional<Eigen::Vector3d>> axes(futures.samples().size());
      tbb::parallel_for(size_t{0}, axes.size(), [&](size_t k) {
        context.check_cancelled();
        axes[k] = momap::metric::fitted_axis(futures, k, pixels, joint.kind);
      });
      for (const auto& axis : axes) {
        degrees += axis ? momap::metric::angle_between(*axis, joint.axis) : kWorst;
        resting += !axis;
        ++count;
      }
    }
    const std::string reason = fmt::format(
        "the reference has no joint whose part moves in truth and shows {} valid pixels",
        kFewestPoints);
    return {{momap::metric::mean(momap::metric::error("articulation_error", "deg", kWorst), degrees,
                                 count, reason),
             momap::metric::mean(momap::metric::error("articulation_at_rest", "", 1), resting,
                                 count, reason)}};
  }

 private:
  bool moves(const momap::metric::Futures& futures, const std::vector<int64_t>& pixels) const {
    return std::ranges::any_of(futures.truths(), [&](const auto& truth) {
      return std::ranges::any_of(
          pixels, [&](int64_t i) { return truth.peak(i) >= params_.moving_threshold_m; });
    });
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(ArticulationError, "metric/articulation_error", 1,
             "Angle between the true axes of hinges and slides and those fitted to the samples.");
