// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include "../joint_axis.h"
#include "../values.h"

namespace {

using momap::Action;
using momap::metric::Futures;

/// How one object moves in one future.
class ObjectMotion {
 public:
  enum class Of { sample, truth };

  /// `index` is k of a sample or m of a true future.
  ObjectMotion(const Futures& futures, Of of, size_t index, const std::vector<int64_t>& pixels)
      : futures_(futures), of_(of), index_(index), pixels_(pixels) {
    for (int64_t t = 0; t < futures.frames(); ++t) {
      double sum = 0;
      for (size_t n = 0; n < pixels.size(); ++n) sum += displacement(t, n).norm();
      mean_.push_back(sum / static_cast<double>(pixels.size()));
    }
  }

  size_t points() const { return pixels_.size(); }

  /// Of point n from frame 0, metres.
  Eigen::Vector3d displacement(int64_t t, size_t n) const {
    const Eigen::Map<const Eigen::Vector3f> first(at(0, n)), now(at(t, n));
    return now.cast<double>() - first.cast<double>();
  }

  /// Peak over frames of the object's mean displacement, metres; not finite when a position is not.
  double peak() const {
    double peak = 0;
    for (const double mean : mean_) {
      if (!std::isfinite(mean)) return mean;
      peak = std::max(peak, mean);
    }
    return peak;
  }

  /// The first frame in which the mean displacement reaches this, which is at most `peak()`.
  int64_t first_at(double metres) const {
    int64_t t = 0;
    while (mean_[t] < metres) ++t;
    return t;
  }

 private:
  const float* at(int64_t t, size_t n) const {
    return of_ == Of::sample ? futures_.sample_at(index_, t, pixels_[n])
                             : futures_.truths()[index_].at(t, pixels_[n]);
  }

  const Futures& futures_;
  const Of of_;
  const size_t index_;
  const std::vector<int64_t>& pixels_;
  std::vector<double> mean_;  // [T], metres
};

/// Correlation of two displacement fields of an object when each has come equally far: half of the
/// shorter way. 1: the same direction everywhere, -1: the opposite. Speed and delay do not matter.
double cosine(const ObjectMotion& a, const ObjectMotion& b) {
  const double way = std::min(a.peak(), b.peak()) / 2;
  const int64_t t_a = a.first_at(way), t_b = b.first_at(way);
  double uv = 0, uu = 0, vv = 0;
  for (size_t n = 0; n < a.points(); ++n) {
    const Eigen::Vector3d u = a.displacement(t_a, n), v = b.displacement(t_b, n);
    uv += u.dot(v), uu += u.squaredNorm(), vv += v.squaredNorm();
  }
  return uu > 0 && vv > 0 ? uv / std::sqrt(uu * vv) : 0;
}

/// Hits and trials.
struct Share {
  double hits = 0, trials = 0;

  bool add(bool hit) {
    hits += hit;
    ++trials;
    return hit;
  }
};

/// Share of samples that do what the prompt says, for prompts whose actions are known (those of the
/// first true future): each named object moves in the named direction, about or along the right
/// axis, and as far as the named speed class goes. What a prompt leaves open is not asked for.
///
/// Direction: the field of displacements correlates with that of a true future which does the same
/// (verb and direction), by `least_cosine`. Axis: the axis fitted to the sample is within
/// `most_axis_error_deg` of the object's joint; for objects without one, the correlation reaches
/// `least_cosine` in one sense or the other. Speed: the peak over frames of the object's mean
/// displacement is in the class's range.
class PromptAccuracy final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "samples: momap*, reference: clip";

  struct Params {
    double least_cosine = 0.7;
    double most_axis_error_deg = 20;
    double rest_below_m = 0.005;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("least_cosine", &Params::least_cosine,
                "Correlation with the true displacements from which the direction is right.")
              .between(0, 1),
          param("most_axis_error_deg", &Params::most_axis_error_deg,
                "Angle to the true axis up to which the axis is right.")
              .unit("deg")
              .between(0, 90),
          param("rest_below_m", &Params::rest_below_m,
                "An object whose mean displacement stays below this does nothing.")
              .unit("m")
              .above(0),
      };
    }
  };

  explicit PromptAccuracy(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Futures futures(inputs, "metric/prompt_accuracy");
    const auto& clip = *inputs.get<momap::Clip>("reference");
    const auto objects = object_pixels(inputs, futures, "metric/prompt_accuracy");

    Share direction, axis, speed, all;
    std::vector<char> right(futures.samples().size(), 1);
    bool asked = false;
    for (const Action& action : clip.truth.front().actions) {
      const auto found = objects.find(action.segment);
      if (found == objects.end() || futures.frames() < 2) continue;
      asked = true;
      const auto alike = true_motions(clip, futures, action, found->second);
      std::vector<Verdict> verdicts(futures.samples().size());
      tbb::parallel_for(size_t{0}, verdicts.size(), [&](size_t k) {
        context.check_cancelled();
        verdicts[k] = verdict(clip, futures, k, action, found->second, alike);
      });
      for (size_t k = 0; k < verdicts.size(); ++k) {
        const Verdict& is = verdicts[k];
        bool does = axis.add(is.axis);
        if (!action.direction.empty()) does &= direction.add(is.direction);
        if (!action.speed.empty()) does &= speed.add(is.speed);
        right[k] &= does;
      }
    }
    for (size_t k = 0; asked && k < right.size(); ++k) all.add(right[k] != 0);

    std::string nothing = futures.undefined_reason();
    if (nothing.empty()) nothing = "the prompt names no action of a visible object";
    const auto value = [&](const char* name, const Share& share, const char* open) {
      return momap::metric::mean(momap::metric::share(name), share.hits, share.trials,
                                 asked ? open : nothing);
    };
    return {{value("prompt_accuracy", all, ""), value("prompt_axis", axis, ""),
             value("prompt_direction", direction, "the prompt leaves the direction open"),
             value("prompt_speed", speed, "the prompt leaves the speed open")}};
  }

 private:
  /// What of an action one sample does right.
  struct Verdict {
    bool axis = false, direction = false, speed = false;
  };

  Verdict verdict(const momap::Clip& clip, const Futures& futures, size_t k, const Action& action,
                  const std::vector<int64_t>& pixels,
                  const std::vector<ObjectMotion>& alike) const {
    const ObjectMotion motion(futures, ObjectMotion::Of::sample, k, pixels);
    const double peak = motion.peak();
    if (!std::isfinite(peak)) futures.refuse_not_finite();
    const bool moves = peak >= params_.rest_below_m;
    return {moves && has_axis(clip, futures, k, action, pixels, motion, alike),
            moves && best_cosine(motion, alike, false) >= params_.least_cosine,
            peak >= action.peak_at_least && peak < action.peak_below};
  }

  /// The object's motion in the true futures that do the same with it.
  static std::vector<ObjectMotion> true_motions(const momap::Clip& clip, const Futures& futures,
                                                const Action& action,
                                                const std::vector<int64_t>& pixels) {
    std::vector<ObjectMotion> motions;
    for (size_t m = 0; m < futures.truths().size(); ++m) {
      const bool same = std::ranges::any_of(clip.truth[m].actions, [&](const Action& other) {
        return other.segment == action.segment && other.verb == action.verb &&
               other.direction == action.direction;
      });
      if (!same) continue;
      motions.emplace_back(futures, ObjectMotion::Of::truth, m, pixels);
    }
    return motions;
  }

  static double best_cosine(const ObjectMotion& motion, const std::vector<ObjectMotion>& truths,
                            bool either_sense) {
    double best = -1;
    for (const ObjectMotion& truth : truths) {
      const double c = cosine(motion, truth);
      best = std::max(best, either_sense ? std::abs(c) : c);
    }
    return best;
  }

  bool has_axis(const momap::Clip& clip, const Futures& futures, size_t k, const Action& action,
                const std::vector<int64_t>& pixels, const ObjectMotion& motion,
                const std::vector<ObjectMotion>& truths) const {
    const auto joint = std::ranges::find(clip.joints, action.segment, &momap::Joint::segment);
    if (joint == clip.joints.end()) {
      return best_cosine(motion, truths, true) >= params_.least_cosine;
    }
    const auto axis = momap::metric::fitted_axis(futures, k, pixels, joint->kind);
    return axis && momap::metric::angle_between(*axis, joint->axis) <= params_.most_axis_error_deg;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(PromptAccuracy, "metric/prompt_accuracy", 1,
             "Share of samples whose motion matches the direction, axis and speed class of the "
             "prompt.");
