// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include <array>
#include <optional>

#include "../clip_pair.h"
#include "../motion.h"
#include "../moving_threshold.h"
#include "../poses.h"
#include "../values.h"

namespace {

using momap::clip_metric::ClipPair;
using momap::metric::Motion;

constexpr int kReach = 3;  // frames of a second difference

/// Where a point is seen in a frame, px.
struct Place {
  double x = 0, y = 0;
};

/// Colour at a place between pixels, in levels.
std::array<double, 3> bilinear(const at::Tensor& frames, int64_t t, const Place& place) {
  const int64_t height = frames.size(1), width = frames.size(2);
  const auto x0 = static_cast<int64_t>(place.x), y0 = static_cast<int64_t>(place.y);
  const double fx = place.x - static_cast<double>(x0), fy = place.y - static_cast<double>(y0);
  std::array<double, 3> colour{};
  for (int corner = 0; corner < 4; ++corner) {
    const int64_t x = std::min(x0 + corner % 2, width - 1),
                  y = std::min(y0 + corner / 2, height - 1);
    const double weight = (corner % 2 ? fx : 1 - fx) * (corner / 2 ? fy : 1 - fy);
    const uint8_t* rgb = frames.data_ptr<uint8_t>() + 3 * ((t * height + y) * width + x);
    for (int c = 0; c < 3; ++c) colour[c] += weight * rgb[c];
  }
  return colour;
}

/// Mean over channels of |second difference| over three frames.
double second_difference(const at::Tensor& frames, int64_t t, const std::array<Place, kReach>& at) {
  const auto a = bilinear(frames, t - 2, at[0]), b = bilinear(frames, t - 1, at[1]),
             c = bilinear(frames, t, at[2]);
  double sum = 0;
  for (int channel = 0; channel < 3; ++channel) {
    sum += std::abs(a[channel] - 2 * b[channel] + c[channel]) / 3;
  }
  return sum;
}

/// Flicker on static points: mean |second difference| in time of the result over that of the
/// reference. Points are those of frame 0 that are static in truth, followed to where the
/// reference's camera sees them, in runs of three frames in which they are visible. A result that
/// flickers as the reference does scores 1; less means that it was smoothed in time.
class Flicker final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip";

  struct Params {
    double moving_threshold_m = momap::metric::kMovingThreshold;

    static auto schema() {
      return std::tuple{
          momap::metric::moving_threshold(&Params::moving_threshold_m),
      };
    }
  };

  explicit Flicker(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const ClipPair pair = momap::clip_metric::clip_pair(inputs, "metric/flicker");
    const auto& reference = *inputs.get<momap::Clip>("reference");
    const auto ratio = momap::metric::error("temporal_flicker", "");
    const auto levels = momap::metric::error("flicker_levels", "levels", 510);
    std::string undefined;
    if (reference.truth.empty())
      undefined = "the reference has no true motion to tell what is static";
    if (pair.frames() < kReach) undefined = "a second difference takes three frames";
    Sums sums;
    if (undefined.empty()) {
      sums = add_up(pair, reference, context);
      undefined = "no static point is visible in three frames in a row";
    }
    momap::Score score;
    score.values.push_back(
        sums.count > 0 && sums.reference == 0
            ? momap::metric::undefined(ratio, "the reference does not change on static points")
            : momap::metric::mean(ratio, sums.result, sums.reference, undefined));
    score.values.push_back(momap::metric::mean(levels, sums.result, sums.count, undefined));
    return score;
  }

 private:
  struct Sums {
    double result = 0, reference = 0, count = 0;
  };

  Sums add_up(const ClipPair& pair, const momap::Clip& reference,
              const momap::Context& context) const {
    const Motion truth(reference.truth.front().motion, "the true motion", "metric/flicker");
    if (truth.frames() != pair.frames() || truth.height() != pair.height() ||
        truth.width() != pair.width()) {
      throw momap::DataError("metric/flicker: the true motion is not of the size of the frames");
    }
    const momap::metric::CameraFrames frames(&reference);
    Sums sums;
    for (int64_t i = 0; i < truth.pixels(); ++i) {
      if (i % truth.width() == 0) context.check_cancelled();
      if (!truth.valid(i) || truth.peak(i) >= params_.moving_threshold_m) continue;
      std::array<Place, kReach> places{};
      int run = 0;  // frames in a row in which the point is seen
      for (int64_t t = 0; t < truth.frames(); ++t) {
        const auto place = seen_at(truth, frames, t, i);
        run = place ? run + 1 : 0;
        if (!place) continue;
        places = {places[1], places[2], *place};
        if (run < kReach) continue;
        sums.result += second_difference(pair.result, t, places);
        sums.reference += second_difference(pair.reference, t, places);
        ++sums.count;
      }
    }
    return sums;
  }

  static std::optional<Place> seen_at(const Motion& truth,
                                      const momap::metric::CameraFrames& frames, int64_t t,
                                      int64_t i) {
    if (!truth.visible(t, i)) return std::nullopt;
    const auto p = frames(t, truth.at(t, i));
    if (!(p[2] > 0)) return std::nullopt;
    const momap::Camera& camera = truth.camera();
    const Place place{camera.fx * p[0] / p[2] + camera.cx, camera.fy * p[1] / p[2] + camera.cy};
    const auto right = static_cast<double>(truth.width() - 1);
    const auto bottom = static_cast<double>(truth.height() - 1);
    if (!(place.x >= -0.5 && place.y >= -0.5 && place.x <= right + 0.5 &&
          place.y <= bottom + 0.5)) {
      return std::nullopt;
    }
    return Place{std::clamp(place.x, 0.0, right), std::clamp(place.y, 0.0, bottom)};
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Flicker, "metric/flicker", 1,
             "Flicker of a clip on static points, relative to the reference.");
