// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include <limits>

#include "../moving_threshold.h"
#include "../values.h"
#include "pair_errors.h"

namespace {

using momap::ScoreValue;
using momap::displacement_error::PairErrors;
using momap::metric::Futures;

constexpr std::array<size_t, 3> kBestOf{1, 5, 16};

/// Distances of K samples from M true futures, over points that the true future compared sees
/// after frame 0.
///
/// ADE, FDE and PWT are means over all samples and true futures. minADE_K and minFDE_K are joint:
/// the best of the first K samples as whole maps, for each true future, then their mean. FDE takes
/// each point in the last frame in which it is seen.
class DisplacementError final : public momap::Metric {
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

  explicit DisplacementError(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Futures futures(inputs, "metric/displacement_error");
    const PairErrors errors =
        momap::displacement_error::pair_errors(futures, params_.moving_threshold_m, context);
    return scores(errors, futures);
  }

 private:
  // Mean over samples and those true futures that have points; `of` gives sum and count of a pair.
  template <class Of>
  static ScoreValue mean_over(ScoreValue declared, const PairErrors& errors, size_t samples,
                              const std::string& reason, Of of) {
    double sum = 0, pairs = 0;
    for (size_t k = 0; k < samples; ++k) {
      for (size_t m = 0; m < errors.counts.size(); ++m) {
        const auto [total, count] = of(errors.at(k, m), errors.counts[m]);
        if (count > 0) sum += total / count, ++pairs;
      }
    }
    return momap::metric::mean(std::move(declared), sum, pairs, reason);
  }

  // Mean over true futures of the least mean error among the first `best_of` samples.
  template <class Of>
  static ScoreValue least_of(ScoreValue declared, const PairErrors& errors, size_t samples,
                             size_t best_of, const std::string& reason, Of of) {
    if (samples < best_of) {
      return momap::metric::undefined(
          std::move(declared),
          fmt::format("there are {} samples, fewer than {}", samples, best_of));
    }
    double sum = 0, truths = 0;
    for (size_t m = 0; m < errors.counts.size(); ++m) {
      double least = std::numeric_limits<double>::infinity();
      for (size_t k = 0; k < best_of; ++k) {
        const auto [total, count] = of(errors.at(k, m), errors.counts[m]);
        if (count > 0) least = std::min(least, total / count);
      }
      if (std::isfinite(least)) sum += least, ++truths;
    }
    return momap::metric::mean(std::move(declared), sum, truths, reason);
  }

  static momap::Score scores(const PairErrors& errors, const Futures& futures) {
    using momap::displacement_error::PairError;
    using momap::displacement_error::PointCount;
    std::string unseen = futures.undefined_reason();
    if (unseen.empty()) unseen = "no valid point is visible in a true future after frame 0";
    const std::string still =
        errors.weight > 0 ? "no visible point moves in a true future" : unseen;

    const auto distance = [](const PairError& e, const PointCount& n) {
      return std::pair(e.distance, n.seen);
    };
    const auto final = [](const PairError& e, const PointCount& n) {
      return std::pair(e.final_distance, n.final);
    };
    const auto moving = [](const PairError& e, const PointCount& n) {
      return std::pair(e.moving_distance, n.moving);
    };
    const auto within = [](const PairError& e, const PointCount& n) {
      constexpr auto kThresholds =
          static_cast<double>(momap::displacement_error::kThresholdsM.size());
      return std::pair(e.within / kThresholds, n.seen);
    };

    const size_t samples = futures.samples().size();
    const auto metres = [](std::string name) { return momap::metric::error(std::move(name), "m"); };
    momap::Score score;
    auto& values = score.values;
    values.push_back(mean_over(metres("ade"), errors, samples, unseen, distance));
    values.push_back(mean_over(metres("ade_moving"), errors, samples, still, moving));
    values.push_back(mean_over(metres("fde"), errors, samples, unseen, final));
    values.push_back(mean_over(momap::metric::share("pwt"), errors, samples, unseen, within));
    for (const size_t k : kBestOf) {
      values.push_back(
          least_of(metres(fmt::format("min_ade_{}", k)), errors, samples, k, unseen, distance));
      values.push_back(
          least_of(metres(fmt::format("min_fde_{}", k)), errors, samples, k, unseen, final));
    }
    ScoreValue diversity{"diversity", "m", momap::Direction::higher_is_better, std::nullopt, ""};
    diversity.worst = 0;
    const double pairs = static_cast<double>(samples * (samples - 1)) / 2;
    values.push_back(momap::metric::mean(diversity, errors.between_samples, errors.weight * pairs,
                                         samples < 2 ? "there is one sample" : unseen));
    return score;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(DisplacementError, "metric/displacement_error", 1,
             "ADE, FDE, points within thresholds, joint minADE and minFDE of K samples, and their "
             "diversity.");
