// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include <algorithm>
#include <cmath>

#include "../clip_pair.h"

namespace {

using momap::clip_metric::ClipPair;
using momap::clip_metric::Region;

constexpr double kCapDb = 100;

struct SquaredError {
  int64_t sum = 0;     // of squared differences of 8-bit levels, over the three channels
  int64_t pixels = 0;  // counted
};

SquaredError squared_error(const ClipPair& pair, Region region, const momap::Context& context) {
  const int64_t pixels = pair.height() * pair.width();
  const auto* a = pair.result.data_ptr<uint8_t>();
  const auto* b = pair.reference.data_ptr<uint8_t>();
  SquaredError error;
  for (int64_t t = pair.first(); t < pair.frames(); ++t) {
    context.check_cancelled();
    for (int64_t i = t * pixels; i < (t + 1) * pixels; ++i) {
      if (!pair.contains(region, i)) continue;
      ++error.pixels;
      for (int64_t c = 3 * i; c < 3 * i + 3; ++c) {
        const int difference = static_cast<int>(a[c]) - static_cast<int>(b[c]);
        error.sum += difference * difference;
      }
    }
  }
  return error;
}

/// Peak signal-to-noise ratio, one mean squared error for all frames after frame 0 and all three
/// channels.
class Psnr final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit Psnr(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const ClipPair pair = momap::clip_metric::clip_pair(inputs, "metric/psnr");
    momap::Score score;
    for (const Region region : momap::clip_metric::kRegions) {
      momap::ScoreValue value{fmt::format("psnr_{}", name_of(region)), "dB",
                              momap::Direction::higher_is_better, std::nullopt,
                              pair.undefined_reason(region)};
      value.worst = 0;  // black against white
      if (value.undefined_reason.empty()) {
        const SquaredError error = squared_error(pair, region, context);
        if (error.pixels == 0) {
          value.undefined_reason = fmt::format("no {} pixel after frame 0", name_of(region));
        } else {
          const double mse = static_cast<double>(error.sum) /
                             (255.0 * 255.0 * 3.0 * static_cast<double>(error.pixels));
          value.value = mse > 0 ? std::min(kCapDb, -10 * std::log10(mse)) : kCapDb;
        }
      }
      score.values.push_back(std::move(value));
    }
    return score;
  }
};

}  // namespace

MOMAP_PLUGIN(Psnr, "metric/psnr", 1,
             "Peak signal-to-noise ratio on all, covered and disoccluded pixels after frame 0.");
