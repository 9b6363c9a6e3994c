// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <limits>

#include "../future_distance.h"
#include "../values.h"

namespace {

using momap::ScoreValue;
using momap::metric::FutureDistances;
using momap::metric::Futures;

constexpr std::array kThresholdsCm{1, 2, 5, 10};

/// Mean of distance(i, j) over i != j; 0 for one.
template <class Distance>
double mean_of_pairs(size_t count, Distance distance) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < count; ++j) sum += i == j ? 0 : distance(i, j);
  }
  return count > 1 ? sum / static_cast<double>(count * (count - 1)) : 0;
}

/// Mean of distance(i, j) over all i and j.
template <class Distance>
double mean_of_all(size_t rows, size_t columns, Distance distance) {
  double sum = 0;
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) sum += distance(i, j);
  }
  return sum / static_cast<double>(rows * columns);
}

/// Share of rows with some column within the threshold.
template <class Distance>
double share_within(size_t rows, size_t columns, double threshold, Distance distance) {
  double hits = 0;
  for (size_t i = 0; i < rows; ++i) {
    double nearest = std::numeric_limits<double>::infinity();
    for (size_t j = 0; j < columns; ++j) nearest = std::min(nearest, distance(i, j));
    hits += nearest <= threshold;
  }
  return hits / static_cast<double>(rows);
}

/// Scores the distribution of K samples against M true futures by distances between whole futures
/// (see FutureDistances).
///
/// Energy score (Gneiting and Raftery 2007): mean distance to a true future minus half the mean
/// distance between two different samples. Pairs of a sample with itself are left out (Ferro 2014:
/// "fair"), so that its expectation does not depend on K and the distribution drawn from is scored,
/// not the K draws. One sample is a certain forecast.
class EnergyScore final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "samples: momap*, reference: momap | clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit EnergyScore(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Futures futures(inputs, "metric/energy_score");
    const size_t samples = futures.samples().size(), truths = futures.truths().size();
    const FutureDistances distances(futures, FutureDistances::Pairs::all, context);
    std::string undefined = futures.undefined_reason();
    if (undefined.empty() && !distances.defined()) {
      undefined = "no valid point is visible in any true future after frame 0";
    }

    const auto to_truth = [&](size_t k, size_t m) { return distances.to_truth(k, m); };
    const auto to_sample = [&](size_t m, size_t k) { return distances.to_truth(k, m); };
    const double error = mean_of_all(samples, truths, to_truth);
    const double spread =
        mean_of_pairs(samples, [&](size_t k, size_t l) { return distances.between_samples(k, l); });
    const double true_spread =
        mean_of_pairs(truths, [&](size_t m, size_t n) { return distances.between_truths(m, n); });

    momap::Score score;
    const auto add = [&](ScoreValue declared, double value, const std::string& also = "") {
      const std::string& reason = undefined.empty() ? also : undefined;
      score.values.push_back(reason.empty()
                                 ? momap::metric::defined(std::move(declared), value)
                                 : momap::metric::undefined(std::move(declared), reason));
    };
    add(momap::metric::error("energy_score", "m"), error - spread / 2);
    add(momap::metric::error("mmd2", "m"), 2 * error - spread - true_spread,
        samples < 2 || truths < 2 ? "two samples and two true futures are needed at least" : "");
    for (const int cm : kThresholdsCm) {
      add(momap::metric::share(fmt::format("coverage_{}cm", cm)),
          share_within(truths, samples, cm / 100.0, to_sample));
      add(momap::metric::share(fmt::format("precision_{}cm", cm)),
          share_within(samples, truths, cm / 100.0, to_truth));
    }
    return score;
  }
};

}  // namespace

MOMAP_PLUGIN(EnergyScore, "metric/energy_score", 1,
             "Energy score of K samples against M true futures, a proper scoring rule, with "
             "coverage, precision and MMD.");
