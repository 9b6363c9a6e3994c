// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "../future_distance.h"
#include "../moving_threshold.h"
#include "../values.h"
#include "overlap.h"

namespace {

using momap::motion_agreement::Overlap;

/// A mean over samples of a value that not every sample has.
class Mean {
 public:
  Mean(momap::ScoreValue declared, std::string reason)
      : declared_(std::move(declared)), reason_(std::move(reason)) {}

  void add(double part, double whole) {
    if (whole <= 0) return;
    sum_ += part / whole;
    ++count_;
  }
  momap::ScoreValue value() const { return momap::metric::mean(declared_, sum_, count_, reason_); }

 private:
  momap::ScoreValue declared_;
  std::string reason_;
  double sum_ = 0, count_ = 0;
};

double f1_part(const Overlap& o) { return 2 * o.both_move; }
double f1_whole(const Overlap& o) { return 2 * o.both_move + o.only_predicted + o.only_true; }

/// Whether what moves, where to and how far agrees with the truth: what a timid sample fails, whose
/// distances are small and whose smoothness is perfect.
///
/// Each sample is compared with the true future nearest to it (see FutureDistances), over all valid
/// pixels; values are means over samples.
class MotionAgreement final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "samples: momap*, reference: momap | clip";

  struct Params {
    double moving_threshold_m = momap::metric::kMovingThreshold;

    static auto schema() {
      return std::tuple{
          momap::metric::moving_threshold(&Params::moving_threshold_m),
      };
    }
  };

  explicit MotionAgreement(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    using momap::metric::FutureDistances;
    const momap::metric::Futures futures(inputs, "metric/motion_agreement");
    const FutureDistances distances(futures, FutureDistances::Pairs::samples_to_truths, context);
    std::vector<size_t> nearest(futures.samples().size());
    for (size_t k = 0; k < nearest.size(); ++k) {
      for (size_t m = 1; distances.defined() && m < futures.truths().size(); ++m) {
        if (distances.to_truth(k, m) < distances.to_truth(k, nearest[k])) nearest[k] = m;
      }
    }
    const auto overlaps =
        momap::motion_agreement::overlaps(futures, nearest, params_.moving_threshold_m, context);
    for (size_t k = 0; k < overlaps.size(); ++k) {
      if (!std::isfinite(overlaps[k].predicted + overlaps[k].truth)) futures.refuse_not_finite();
    }
    return scores(overlaps, futures.undefined_reason());
  }

 private:
  static momap::Score scores(const std::vector<Overlap>& overlaps, const std::string& undefined) {
    const auto reason = [&](const char* otherwise) {
      return undefined.empty() ? std::string(otherwise) : undefined;
    };
    const std::string still = reason("nothing moves, neither in a sample nor in truth");
    const std::string no_mover = reason("no pixel moves, neither in a sample nor in truth");
    momap::ScoreValue ratio{"motion_ratio", "", momap::Direction::higher_is_better, {}, ""};
    ratio.worst = 0;
    Mean tvo(momap::metric::share("tvo"), still), vvo(momap::metric::share("vvo"), still);
    Mean iou(momap::metric::share("move_iou"), still),
        f1(momap::metric::share("move_f1"), no_mover);
    Mean dqs(momap::metric::share("dqs"), no_mover);
    Mean motion_ratio(ratio, reason("nothing moves in the true futures nearest to the samples"));
    for (const Overlap& o : overlaps) {
      tvo.add(o.aligned, o.most);
      vvo.add(o.velocity_aligned, o.velocity_most);
      iou.add(o.least, o.most);
      f1.add(f1_part(o), f1_whole(o));
      motion_ratio.add(o.predicted, o.truth);
      if (f1_whole(o) > 0) dqs.add(std::sqrt(o.aligned / o.most * f1_part(o) / f1_whole(o)), 1);
    }
    return {{tvo.value(), vvo.value(), f1.value(), iou.value(), dqs.value(), motion_ratio.value()}};
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(MotionAgreement, "metric/motion_agreement", 1,
             "Agreement of what moves, where to and how far: TVO, VVO, MoveF1, MoveIoU, DQS and "
             "the motion ratio.");
