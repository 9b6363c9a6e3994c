// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include "../feature_pool.h"
#include "motion_histogram.h"

namespace {

using momap::metric::Features;
using momap::metric::Futures;

/// Frechet video motion distance (Liu et al. 2024) between the motion of samples and of true
/// futures, from the maps themselves instead of tracked points. `fvmd` pools all samples of a run;
/// `fvmd_s` compares the K samples of a scene with its M true futures.
class Fvmd final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "samples: momap*, reference: momap | clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit Fvmd(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const Futures futures(inputs, "metric/fvmd");
    const auto declared = momap::metric::error("fvmd_s", "");
    if (futures.frames() < momap::fvmd::kWindow) {
      return {{momap::metric::undefined(
          declared, fmt::format("the motion has {} frames, fewer than {}", futures.frames(),
                                momap::fvmd::kWindow))}};
    }
    const size_t samples = futures.samples().size(), truths = futures.truths().size();
    std::vector<Features> windows(samples + truths);
    tbb::parallel_for(size_t{0}, samples + truths, [&](size_t n) {
      context.check_cancelled();
      windows[n] =
          momap::fvmd::motion_histograms(futures, [&](int64_t t, int64_t i) -> const float* {
            if (!futures.valid(i)) return nullptr;
            return n < samples ? futures.sample_at(n, t, i)
                               : futures.truths()[n - samples].at(t, i);
          });
    });
    const Features result = stacked(windows, 0, samples);
    const Features reference = stacked(windows, samples, samples + truths);
    momap::Score score;
    score.values.push_back(
        samples < 2 || truths < 2
            ? momap::metric::undefined(declared,
                                       "two samples and two true futures are needed at least")
            : momap::metric::defined(declared, momap::metric::frechet_distance(result, reference)));
    score.features[momap::metric::kResultFeatures] = momap::metric::to_tensor(result);
    score.features[momap::metric::kReferenceFeatures] = momap::metric::to_tensor(reference);
    return score;
  }

  std::unique_ptr<momap::ScorePool> pool() const override {
    return std::make_unique<momap::metric::FrechetPool>("fvmd", "metric/fvmd");
  }

 private:
  static Features stacked(const std::vector<Features>& parts, size_t first, size_t last) {
    const Eigen::Index rows = parts[first].rows();
    Features all(rows * static_cast<Eigen::Index>(last - first), parts[first].cols());
    for (size_t n = first; n < last; ++n) {
      all.middleRows(rows * static_cast<Eigen::Index>(n - first), rows) = parts[n];
    }
    return all;
  }
};

}  // namespace

MOMAP_PLUGIN(
    Fvmd, "metric/fvmd", 1,
    "Frechet video motion distance between samples and true futures, over a run and a scene.");
