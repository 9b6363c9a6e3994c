// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "../motion.h"
#include "../moving_threshold.h"
#include "../values.h"

namespace {

using momap::metric::Motion;

/// Squared errors and how many.
struct Squares {
  double sum = 0, count = 0;

  void add(double value) { sum += value * value, ++count; }
};

momap::ScoreValue rms(momap::ScoreValue declared, const Squares& squares,
                      const std::string& reason) {
  if (squares.count == 0) return momap::metric::undefined(std::move(declared), reason);
  return momap::metric::defined(std::move(declared), std::sqrt(squares.sum / squares.count));
}

/// Length of the third difference of a path before frame t (t >= 3), metres a frame^3.
double jerk(const Motion& motion, int64_t t, int64_t i) {
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    const double j = static_cast<double>(motion.at(t, i)[c]) - 3.0 * motion.at(t - 1, i)[c] +
                     3.0 * motion.at(t - 2, i)[c] - motion.at(t - 3, i)[c];
    sum += j * j;
  }
  return std::sqrt(sum);
}

/// What an encoding costs and what it loses, over the valid pixels of the original and the frames
/// after frame 0, which a decoder is given. Relative errors are divided by the true depth. The jerk
/// ratio (root mean squares of third differences) is above 1 where decoding adds jitter and below
/// where it smooths.
class RateDistortion final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "latent: latent, decoded: momap, original: momap";

  struct Params {
    double moving_threshold_m = momap::metric::kMovingThreshold;

    static auto schema() {
      return std::tuple{
          momap::metric::moving_threshold(&Params::moving_threshold_m),
      };
    }
  };

  explicit RateDistortion(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const auto& latent = *inputs.get<momap::Latent>("latent");
    constexpr std::string_view kOwner = "metric/rate_distortion";
    const Motion original(*inputs.get<momap::MoMap>("original"), "the original", kOwner);
    const Motion decoded(*inputs.get<momap::MoMap>("decoded"), "the decoded map", kOwner);
    decoded.require_size_of(original);
    return scores(latent, original, add_up(decoded, original, context));
  }

 private:
  struct Distortion {
    Squares all, moving, still, relative, relative_moving, relative_still, jerk, true_jerk;
    double lost = 0, pixels = 0;  // valid pixels of the original, and those not valid when decoded
  };

  Distortion add_up(const Motion& decoded, const Motion& original,
                    const momap::Context& context) const {
    Distortion d;
    for (int64_t i = 0; i < original.pixels(); ++i) {
      if (i % original.width() == 0) context.check_cancelled();
      if (!original.valid(i)) continue;
      ++d.pixels;
      d.lost += !decoded.valid(i);
      if (!decoded.valid(i)) continue;
      const bool moves = original.peak(i) >= params_.moving_threshold_m;
      for (int64_t t = 1; t < original.frames(); ++t) {
        const double error = momap::metric::distance(decoded.at(t, i), original.at(t, i));
        d.all.add(error);
        (moves ? d.moving : d.still).add(error);
        const double depth = original.at(t, i)[2];
        if (depth > 0) {
          d.relative.add(error / depth);
          (moves ? d.relative_moving : d.relative_still).add(error / depth);
        }
        if (t < 3) continue;
        d.jerk.add(jerk(decoded, t, i));
        d.true_jerk.add(jerk(original, t, i));
      }
    }
    if (!std::isfinite(d.true_jerk.sum)) original.refuse_not_finite();
    if (!std::isfinite(d.all.sum + d.jerk.sum)) {
      decoded.refuse_not_finite();
    }
    return d;
  }

  static momap::Score scores(const momap::Latent& latent, const Motion& original,
                             const Distortion& d) {
    using momap::metric::error;
    const auto floats = static_cast<double>(latent.values.numel());
    const std::string none = original.frames() < 2 ? "the motion map has no frame after frame 0"
                                                   : "no valid pixel of the original was decoded";
    const std::string no_mover = d.all.count > 0 ? "no valid pixel moves" : none;
    const std::string all_move = d.all.count > 0 ? "every valid pixel moves" : none;
    const auto behind = [&](const Squares& squares, const std::string& otherwise) {
      return squares.count > 0 ? "no point is in front of the camera" : otherwise;
    };
    momap::Score score;
    auto& values = score.values;
    values.push_back(momap::metric::defined(error("latent_bytes", "B"),
                                            static_cast<double>(latent.values.nbytes())));
    values.push_back(momap::metric::defined(error("floats_per_pixel", ""),
                                            floats / static_cast<double>(original.pixels())));
    values.push_back(rms(error("rmse", "m"), d.all, none));
    values.push_back(rms(error("rmse_moving", "m"), d.moving, no_mover));
    values.push_back(rms(error("rmse_static", "m"), d.still, all_move));
    values.push_back(rms(error("relative_rmse", ""), d.relative, behind(d.all, none)));
    values.push_back(
        rms(error("relative_rmse_moving", ""), d.relative_moving, behind(d.moving, no_mover)));
    values.push_back(
        rms(error("relative_rmse_static", ""), d.relative_still, behind(d.still, all_move)));
    values.push_back(momap::metric::mean(error("lost_pixels", "", 1), d.lost, d.pixels,
                                         "no pixel of the original is valid"));
    if (d.true_jerk.sum > 0) {
      values.push_back(
          momap::metric::defined(error("jerk_ratio", ""), std::sqrt(d.jerk.sum / d.true_jerk.sum)));
    } else {
      values.push_back(momap::metric::undefined(
          error("jerk_ratio", ""), original.frames() < 4 ? "a third difference takes four frames"
                                   : d.all.count > 0     ? "the original moves without any jerk"
                                                         : none));
    }
    return score;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(RateDistortion, "metric/rate_distortion", 1,
             "Size of a latent and error of the decoded map, moving and static points apart, with "
             "the jerk it adds.");
