// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include <array>

#include "../blocks.h"
#include "../futures.h"
#include "../values.h"

namespace {

using momap::metric::Futures;

/// Sums over the pixels of one sample.
struct Sums {
  double variation = 0, derivative = 0, pixels = 0;
  double predicted = 0;  // m, displacements
};

/// Projected motion from frame t - 1 to t on the reference grid, px; NaN where a point is not in
/// front of the camera.
class ProjectedFlow {
 public:
  ProjectedFlow(const Futures& futures, size_t k) : futures_(futures), k_(k) {
    before_.resize(futures.pixels()), now_ = before_, flow_ = before_;
    project(0, now_);
  }

  void advance_to(int64_t t) {
    std::swap(before_, now_);
    project(t, now_);
    for (size_t i = 0; i < flow_.size(); ++i) {
      flow_[i] = {now_[i][0] - before_[i][0], now_[i][1] - before_[i][1]};
    }
  }

  const std::array<float, 2>& at(int64_t i) const { return flow_[i]; }

 private:
  void project(int64_t t, std::vector<std::array<float, 2>>& out) const {
    const momap::Camera& camera = futures_.truths()[0].camera();
    const auto fx = static_cast<float>(camera.fx), fy = static_cast<float>(camera.fy);
    for (int64_t i = 0; i < futures_.pixels(); ++i) {
      out[i] = {NAN, NAN};
      if (!futures_.valid(i)) continue;
      const float* p = futures_.sample_at(k_, t, i);
      if (p[2] > 0) out[i] = {fx * p[0] / p[2], fy * p[1] / p[2]};
    }
  }

  const Futures& futures_;
  const size_t k_;
  std::vector<std::array<float, 2>> before_, now_, flow_;
};

/// How smooth the projected motion of samples is across the picture. A sample that stands still is
/// perfectly smooth, so the motion ratio stands beside: read one never without the other.
///
/// FlowTV: mean of |du/dx| + |du/dy| + |dv/dx| + |dv/dy|. DivCurlE: mean of div^2 + curl^2. Forward
/// differences between pixels of which both, and both their neighbours, are valid.
class Smoothness final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "samples: momap*, reference: momap | clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit Smoothness(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Futures futures(inputs, "metric/smoothness");
    const size_t samples = futures.samples().size();
    std::vector<Sums> sums(samples);
    double truth = 0;
    if (futures.frames() > 1) {
      tbb::parallel_for(size_t{0}, samples + 1, [&](size_t k) {
        if (k < samples) {
          sums[k] = sums_of(futures, k, context);
        } else {
          truth = true_motion(futures, context);
        }
      });
    }
    Sums total;
    double predicted = 0;
    for (size_t k = 0; k < samples; ++k) {
      if (!std::isfinite(sums[k].predicted)) futures.refuse_not_finite();
      total.variation += sums[k].variation;
      total.derivative += sums[k].derivative;
      total.pixels += sums[k].pixels;
      predicted += sums[k].predicted / static_cast<double>(samples);
    }
    if (!std::isfinite(truth)) futures.refuse_not_finite();
    std::string reason = futures.undefined_reason();
    const std::string still = reason.empty() ? "nothing moves in truth" : reason;
    if (reason.empty()) reason = "no valid pixel has a valid right and lower neighbour";
    momap::ScoreValue ratio{
        "smoothness_motion_ratio", "", momap::Direction::higher_is_better, {}, ""};
    ratio.worst = 0;
    using momap::metric::error;
    return {{momap::metric::mean(error("flow_tv", "px/px"), total.variation, total.pixels, reason),
             momap::metric::mean(error("div_curl_e", "px2/px2"), total.derivative, total.pixels,
                                 reason),
             momap::metric::mean(ratio, predicted, truth, still)}};
  }

 private:
  static Sums sums_of(const Futures& futures, size_t k, const momap::Context& context) {
    const int64_t width = futures.width(), height = futures.height();
    Sums sums;
    ProjectedFlow flow(futures, k);
    for (int64_t t = 1; t < futures.frames(); ++t) {
      context.check_cancelled();
      flow.advance_to(t);
      double variation = 0, derivative = 0;
      int64_t pixels = 0;
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          const int64_t i = y * width + x;
          if (!futures.valid(i)) continue;
          sums.predicted +=
              momap::metric::distance(futures.sample_at(k, t, i), futures.sample_at(k, 0, i));
          if (x + 1 >= width || y + 1 >= height) continue;
          const auto &here = flow.at(i), &right = flow.at(i + 1), &below = flow.at(i + width);
          const float ux = right[0] - here[0], uy = below[0] - here[0];
          const float vx = right[1] - here[1], vy = below[1] - here[1];
          const float sum = std::abs(ux) + std::abs(uy) + std::abs(vx) + std::abs(vy);
          if (std::isnan(sum)) continue;
          variation += sum;
          derivative += (ux + vy) * (ux + vy) + (vx - uy) * (vx - uy);
          ++pixels;
        }
      }
      sums.variation += variation;
      sums.derivative += derivative;
      sums.pixels += static_cast<double>(pixels);
    }
    return sums;
  }

  /// Mean over true futures of the sum of displacements, metres.
  static double true_motion(const Futures& futures, const momap::Context& context) {
    double sum = 0;
    for (const auto& truth : futures.truths()) {
      context.check_cancelled();
      for (int64_t t = 1; t < futures.frames(); ++t) {
        for (int64_t i = 0; i < futures.pixels(); ++i) {
          if (futures.valid(i)) sum += momap::metric::distance(truth.at(t, i), truth.at(0, i));
        }
      }
    }
    return sum / static_cast<double>(futures.truths().size());
  }
};

}  // namespace

MOMAP_PLUGIN(Smoothness, "metric/smoothness", 1,
             "FlowTV and DivCurlE of the samples' projected motion, with the motion ratio beside.");
