// SPDX-License-Identifier: Apache-2.0
#include <momap/base/clones.h>
#include <momap/plugin/plugin.h>

#include "../blocks.h"
#include "../futures.h"
#include "../moving_threshold.h"
#include "../values.h"

namespace {

using momap::metric::Futures;
using momap::metric::Totals;

constexpr int64_t kPixelsATask = 4096;

/// Adds the distances of two lists of points, metres, and keeps their maxima.
MOMAP_CLONES void add_displacements(const float* now, const float* first, int64_t count, float* way,
                                    float* peak) {
  for (int64_t i = 0; i < count; ++i) {
    const float dx = now[3 * i] - first[3 * i], dy = now[3 * i + 1] - first[3 * i + 1];
    const float dz = now[3 * i + 2] - first[3 * i + 2];
    const float d = std::sqrt(dx * dx + dy * dy + dz * dz);
    way[i] += d;
    peak[i] = peak[i] > d ? peak[i] : d;
  }
}

/// Motion predicted where nothing moves: on pixels whose displacement stays below a threshold in
/// every true future.
class Leakage final : public momap::Metric {
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

  explicit Leakage(Params params) : params_(params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Futures futures(inputs, "metric/leakage");
    const size_t samples = futures.samples().size();
    // Per sample the sum of mean displacements over time, and of pixels that move; static pixels.
    const Totals sums = momap::metric::sum_over_blocks(
        futures.pixels(), kPixelsATask, context, Totals(2 * samples + 1),
        [&](int64_t first, int64_t last) { return block(futures, first, last); });
    const double pixels = sums[2 * samples];
    double motion = 0, movers = 0;
    for (size_t k = 0; k < samples; ++k) {
      if (!std::isfinite(sums[2 * k])) futures.refuse_not_finite();
      motion += sums[2 * k], movers += sums[2 * k + 1];
    }
    std::string reason = futures.undefined_reason();
    if (reason.empty()) reason = "no valid pixel is static in all true futures";
    const double count = futures.frames() < 2 ? 0 : pixels * static_cast<double>(samples);
    return {
        {momap::metric::mean(momap::metric::error("leakage", "m"), motion, count, reason),
         momap::metric::mean(momap::metric::error("leakage_share", "", 1), movers, count, reason)}};
  }

 private:
  Totals block(const Futures& futures, int64_t first, int64_t last) const {
    const size_t samples = futures.samples().size();
    Totals sums(2 * samples + 1);
    std::vector<uint8_t> rests(last - first);
    for (int64_t i = first; i < last; ++i) rests[i - first] = futures.valid(i);
    for (const auto& truth : futures.truths()) {
      const std::vector<double> peaks = truth.peaks(first, last);
      for (size_t j = 0; j < rests.size(); ++j) rests[j] &= peaks[j] < params_.moving_threshold_m;
    }
    for (const uint8_t rest : rests) sums[2 * samples] += rest;
    const auto later = static_cast<double>(futures.frames() - 1);
    for (size_t k = 0; k < samples; ++k) {
      const momap::metric::Motion& sample = futures.samples()[k];
      std::vector<float> way(rests.size()), peak(rests.size());
      for (int64_t t = 1; t < futures.frames(); ++t) {
        add_displacements(sample.at(t, first), sample.at(0, first), last - first, way.data(),
                          peak.data());
      }
      for (const int64_t gap : futures.gaps(k, first, last)) {  // counts as resting
        way[gap - first] = peak[gap - first] = 0;
      }
      for (size_t j = 0; j < rests.size(); ++j) {
        if (rests[j] == 0) continue;
        if (later > 0) sums[2 * k] += way[j] / later;
        sums[2 * k + 1] += peak[j] >= params_.moving_threshold_m;
      }
    }
    return sums;
  }

  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Leakage, "metric/leakage", 1,
             "Mean motion that samples give to points which are static in every true future.");
