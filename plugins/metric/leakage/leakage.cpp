// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "../blocks.h"
#include "../futures.h"
#include "../moving_threshold.h"
#include "../values.h"

namespace {

using momap::metric::Futures;
using momap::metric::Totals;

constexpr int64_t kPixelsATask = 4096;

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
    std::vector<int64_t> still;
    for (int64_t i = first; i < last; ++i) {
      if (rests[i - first] != 0) still.push_back(i);
    }
    sums[2 * samples] = static_cast<double>(still.size());
    const auto later = static_cast<double>(futures.frames() - 1);
    for (size_t k = 0; k < samples; ++k) {
      std::vector<double> way(still.size()), peak(still.size());
      for (int64_t t = 1; t < futures.frames(); ++t) {
        for (size_t j = 0; j < still.size(); ++j) {
          const double d = momap::metric::distance(futures.sample_at(k, t, still[j]),
                                                   futures.sample_at(k, 0, still[j]));
          way[j] += d;
          peak[j] = std::max(peak[j], d);
        }
      }
      for (size_t j = 0; j < still.size(); ++j) {
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
