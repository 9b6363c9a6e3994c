// SPDX-License-Identifier: Apache-2.0
#include <momap/base/clones.h>
#include <momap/plugin/plugin.h>

#include <array>

#include "../blocks.h"
#include "../futures.h"
#include "../values.h"

namespace {

using momap::metric::Futures;
using momap::metric::Motion;

/// Sums over the pixels of one sample.
struct Sums {
  double variation = 0, derivative = 0, pixels = 0;
  double predicted = 0;  // m, displacements
};

/// Sum over pixels of the distance between two lists of points, metres; lanes of sums let several
/// points be worked on at once.
MOMAP_CLONES double sum_of_distances(const float* a, const float* b, const uint8_t* counts,
                                     int64_t pixels) {
  constexpr int64_t kLanes = 16;
  std::array<double, kLanes> lanes{};
  const auto distance = [&](int64_t i) {
    const float dx = a[3 * i] - b[3 * i], dy = a[3 * i + 1] - b[3 * i + 1];
    const float dz = a[3 * i + 2] - b[3 * i + 2];
    return counts[i] != 0 ? std::sqrt(dx * dx + dy * dy + dz * dz) : 0.0f;
  };
  const int64_t whole = pixels / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += distance(i + l);
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (int64_t i = whole; i < pixels; ++i) sum += distance(i);
  return sum;
}

/// u and v of points in front of the camera, px; NaN for others and for pixels that do not count.
MOMAP_CLONES void project(const float* xyz, const uint8_t* counts, float fx, float fy,
                          int64_t pixels, float* u, float* v) {
  for (int64_t i = 0; i < pixels; ++i) {
    const float z = xyz[3 * i + 2];
    const bool drawn = counts[i] != 0 && z > 0;
    u[i] = drawn ? fx * xyz[3 * i] / z : NAN;
    v[i] = drawn ? fy * xyz[3 * i + 1] / z : NAN;
  }
}

/// The motion of one sample, frame by frame on the reference grid.
class SampleMotion {
 public:
  SampleMotion(const Futures& futures, const std::vector<uint8_t>& counts, size_t k)
      : futures_(futures), counts_(counts), k_(k) {
    const auto pixels = static_cast<size_t>(futures.pixels());
    for (auto* list : {&first_, &xyz_}) list->resize(3 * pixels);
    for (auto* list : {&u_, &v_, &flow_u_, &flow_v_}) list->resize(pixels);
    futures.copy_sample(k, 0, 0, futures.pixels(), first_.data());
    project_into(first_);
  }

  void advance_to(int64_t t) {
    std::swap(u_, flow_u_), std::swap(v_, flow_v_);  // where points were in the frame before
    futures_.copy_sample(k_, t, 0, futures_.pixels(), xyz_.data());
    project_into(xyz_);
    for (size_t i = 0; i < u_.size(); ++i) {
      flow_u_[i] = u_[i] - flow_u_[i];
      flow_v_[i] = v_[i] - flow_v_[i];
    }
  }

  /// Projected motion from the frame before, px; NaN where a point is not in front of the camera.
  const std::vector<float>& flow_u() const { return flow_u_; }
  const std::vector<float>& flow_v() const { return flow_v_; }
  /// Sum of distances from frame 0, metres.
  double displacement() const {
    return sum_of_distances(xyz_.data(), first_.data(), counts_.data(), futures_.pixels());
  }

 private:
  void project_into(const std::vector<float>& xyz) {
    const momap::Camera& camera = futures_.truths()[0].camera();
    project(xyz.data(), counts_.data(), static_cast<float>(camera.fx),
            static_cast<float>(camera.fy), futures_.pixels(), u_.data(), v_.data());
  }

  const Futures& futures_;
  const std::vector<uint8_t>& counts_;
  const size_t k_;
  std::vector<float> first_, xyz_;  // [H * W, 3]
  std::vector<float> u_, v_;        // [H * W]
  std::vector<float> flow_u_, flow_v_;
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
      std::vector<uint8_t> counts(futures.pixels());
      for (int64_t i = 0; i < futures.pixels(); ++i) counts[i] = futures.valid(i);
      std::vector<double> ways(futures.truths().size());
      tbb::parallel_for(size_t{0}, samples + ways.size(), [&](size_t n) {
        if (n < samples) {
          sums[n] = sums_of(futures, counts, n, context);
        } else {
          ways[n - samples] = way_of(futures.truths()[n - samples], counts, context);
        }
      });
      for (const double way : ways) truth += way / static_cast<double>(ways.size());
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
  static Sums sums_of(const Futures& futures, const std::vector<uint8_t>& counts, size_t k,
                      const momap::Context& context) {
    const int64_t width = futures.width(), height = futures.height();
    Sums sums;
    SampleMotion motion(futures, counts, k);
    for (int64_t t = 1; t < futures.frames(); ++t) {
      context.check_cancelled();
      motion.advance_to(t);
      sums.predicted += motion.displacement();
      const float *u = motion.flow_u().data(), *v = motion.flow_v().data();
      double variation = 0, derivative = 0;
      int64_t pixels = 0;
      for (int64_t y = 0; y + 1 < height; ++y) {
        for (int64_t i = y * width; i + 1 < (y + 1) * width; ++i) {
          const float ux = u[i + 1] - u[i], uy = u[i + width] - u[i];
          const float vx = v[i + 1] - v[i], vy = v[i + width] - v[i];
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

  /// Sum of displacements of a true future, metres.
  static double way_of(const Motion& truth, const std::vector<uint8_t>& counts,
                       const momap::Context& context) {
    double sum = 0;
    for (int64_t t = 1; t < truth.frames(); ++t) {
      context.check_cancelled();
      sum += sum_of_distances(truth.at(t, 0), truth.at(0, 0), counts.data(), truth.pixels());
    }
    return sum;
  }
};

}  // namespace

MOMAP_PLUGIN(Smoothness, "metric/smoothness", 1,
             "FlowTV and DivCurlE of the samples' projected motion, with the motion ratio beside.");
