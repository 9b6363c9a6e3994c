// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <cmath>

#include "../values.h"
#include "points.h"

namespace {

using momap::tapvid3d::Observation;
using momap::tapvid3d::Point;
using momap::tapvid3d::Points;

constexpr std::array kThresholdsPx{1.0, 2.0, 4.0, 8.0, 16.0};
constexpr double kLeast = 1e-12;               // m; keeps ratios of depths finite
constexpr int64_t kMostNeighbourhoods = 4096;  // the search is quadratic in points

double norm(const Point& p) { return std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]); }

double squared_distance(const Point& a, const Point& b, double scale_b) {
  double sum = 0;
  for (int c = 0; c < 3; ++c) sum += (a[c] - scale_b * b[c]) * (a[c] - scale_b * b[c]);
  return sum;
}

/// The mean of the two middle values where their number is even.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Weighted counts over which the three values are taken.
struct Tally {
  std::array<double, kThresholdsPx.size()> within{};           // of visible points
  std::array<double, kThresholdsPx.size()> true_positives{};   // ... predicted visible
  std::array<double, kThresholdsPx.size()> false_positives{};  // predicted visible, but not so
  double observations = 0, agreeing = 0, visible = 0;

  void add(const Observation& seen, double scale, double focal, double weight) {
    observations += weight;
    agreeing += seen.visible == seen.predicted_visible ? weight : 0;
    visible += seen.visible ? weight : 0;
    const double error = squared_distance(seen.truth, seen.predicted, scale);
    for (size_t k = 0; k < kThresholdsPx.size(); ++k) {
      const double threshold = kThresholdsPx[k] * seen.truth[2] / focal;  // m
      const bool is_within = seen.has_prediction && error < threshold * threshold;
      if (seen.visible && is_within) {
        within[k] += weight;
        if (seen.predicted_visible) true_positives[k] += weight;
      } else if (seen.predicted_visible) {
        false_positives[k] += weight;
      }
    }
  }
};

/// The TAPVid-3D protocol (Koppula et al., NeurIPS 2024): APD_3D, 3D-AJ and occlusion accuracy of
/// one video. Every frame counts, frame 0 included; positions are compared in the camera's frame at
/// their time, within delta z / sqrt(fx fy) for delta of 1, 2, 4, 8, 16 px.
class TapVid3d final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: momap, reference: momap | clip";

  struct Params {
    std::string scale = "median";
    double neighbourhood_m = 0.05;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("scale", &Params::scale,
                "How the result is brought to true scale: by the ratio of median or mean distances "
                "from the camera of points visible in both (of frame 0 alone: median_on_queries), "
                "a track by its depth in frame 0, that with all points around it, or not at all.")
              .one_of({"median", "mean", "median_on_queries", "per_trajectory",
                       "local_neighborhood", "none"}),
          param("neighbourhood_m", &Params::neighbourhood_m,
                "What is around a point for local_neighborhood.")
              .unit("m")
              .above(0),
      };
    }
  };

  explicit TapVid3d(Params params) : params_(std::move(params)) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Points points = momap::tapvid3d::read_points(inputs);
    Tally tally;
    std::string undefined = fill(tally, points, context);
    if (tally.observations == 0) {
      undefined = points.observations.empty() ? points.none_because : "no true position is known";
    }

    const auto named = [&](const char* name) {
      return momap::metric::share(std::string(name).append("_").append(params_.scale));
    };
    double apd = 0, jaccard = 0;
    for (size_t k = 0; k < kThresholdsPx.size(); ++k) {
      apd += tally.within[k] / tally.visible / kThresholdsPx.size();
      jaccard += tally.true_positives[k] / (tally.visible + tally.false_positives[k]) /
                 kThresholdsPx.size();
    }
    // Whatever the scale, visibility is comparable.
    momap::Score score{{momap::metric::mean(momap::metric::share("occlusion_accuracy"),
                                            tally.agreeing, tally.observations, undefined)}};
    if (undefined.empty() && tally.visible == 0) undefined = "no point of the reference is visible";
    for (const auto& [name, value] : {std::pair{"apd_3d", apd}, std::pair{"aj_3d", jaccard}}) {
      score.values.push_back(undefined.empty() ? momap::metric::defined(named(name), value)
                                               : momap::metric::undefined(named(name), undefined));
    }
    return score;
  }

 private:
  /// Returns why positions cannot be compared, or "".
  std::string fill(Tally& tally, const Points& points, const momap::Context& context) const {
    const bool by_track =
        params_.scale == "per_trajectory" || params_.scale == "local_neighborhood";
    double scale = 1;
    std::string no_scale;
    if (!by_track && params_.scale != "none") {
      const auto common = common_scale(points);
      if (!common) no_scale = "no point is visible in both result and reference to scale by";
      scale = common.value_or(1);
    }
    if (params_.scale == "local_neighborhood" && points.count() > kMostNeighbourhoods) {
      throw momap::DataError(fmt::format(
          "metric/tapvid3d: local_neighborhood compares every two points, and the reference has {} "
          "of them, more than {}; give a clip with single tracks, or choose another scale",
          points.count(), kMostNeighbourhoods));
    }
    for (int64_t n = 0; n < points.count(); ++n) {
      if (n % 256 == 0) context.check_cancelled();
      if (by_track) scale = depth_ratio(points.at(n, 0));
      if (params_.scale == "local_neighborhood") {
        add_neighbourhood(tally, points, n, scale, context);
        continue;
      }
      for (int64_t t = 0; t < points.frames; ++t) {
        if (points.at(n, t).known) tally.add(points.at(n, t), scale, points.focal, 1);
      }
    }
    return no_scale;
  }

  static double depth_ratio(const Observation& first) {
    return std::max(first.truth[2], kLeast) / std::max(first.predicted[2], kLeast);
  }

  /// Ratio of typical distances from the camera over what both see.
  std::optional<double> common_scale(const Points& points) const {
    std::vector<double> truth, predicted;
    const int64_t frames = params_.scale == "median_on_queries" ? 1 : points.frames;
    for (int64_t n = 0; n < points.count(); ++n) {
      for (int64_t t = 0; t < frames; ++t) {
        const Observation& seen = points.at(n, t);
        if (!seen.known || !seen.visible || !seen.predicted_visible) continue;
        truth.push_back(norm(seen.truth));
        predicted.push_back(norm(seen.predicted));
      }
    }
    if (truth.empty()) return std::nullopt;
    if (params_.scale == "mean") return mean(truth) / std::max(mean(predicted), kLeast);
    return median(std::move(truth)) / std::max(median(std::move(predicted)), kLeast);
  }

  /// All points near track n in each frame stand for it, together with its weight.
  void add_neighbourhood(Tally& tally, const Points& points, int64_t n, double scale,
                         const momap::Context& context) const {
    context.check_cancelled();
    std::vector<const Observation*> near;
    double own_visible = 0, near_visible = 0;
    for (int64_t t = 0; t < points.frames; ++t) {
      const Observation& centre = points.at(n, t);
      if (!centre.known) continue;
      own_visible += centre.visible;
      for (int64_t j = 0; j < points.count(); ++j) {
        const Observation& other = points.at(j, t);
        if (!other.known || squared_distance(centre.truth, other.truth, 1) >=
                                params_.neighbourhood_m * params_.neighbourhood_m) {
          continue;
        }
        near.push_back(&other);
        near_visible += other.visible;
      }
    }
    const double weight = own_visible / std::max(1.0, near_visible);
    for (const Observation* other : near) tally.add(*other, scale, points.focal, weight);
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(TapVid3d, "metric/tapvid3d", 1,
             "TAPVid-3D: points within depth-adaptive thresholds, average Jaccard, occlusion "
             "accuracy.");
