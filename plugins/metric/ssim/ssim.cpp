// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <array>
#include <cmath>
#include <vector>

#include "../clip_pair.h"

namespace {

using momap::clip_metric::ClipPair;
using momap::clip_metric::kRegions;
using momap::clip_metric::Region;

constexpr int64_t kRadius = 5;  // px; the window is 11 x 11
constexpr int64_t kWindow = 2 * kRadius + 1;
constexpr double kSigma = 1.5;                       // px
constexpr double kC1 = (0.01 * 255) * (0.01 * 255);  // (K1 L)^2
constexpr double kC2 = (0.03 * 255) * (0.03 * 255);  // (K2 L)^2

std::array<double, kWindow> gaussian() {
  std::array<double, kWindow> weights{};
  double sum = 0;
  for (int64_t k = -kRadius; k <= kRadius; ++k) {
    sum += weights[k + kRadius] = std::exp(-0.5 * static_cast<double>(k * k) / (kSigma * kSigma));
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Local moments of two pictures: means, mean squares and mean product.
struct Moments {
  double a = 0, b = 0, aa = 0, bb = 0, ab = 0;

  void add(double weight, const Moments& other) {
    a += weight * other.a;
    b += weight * other.b;
    aa += weight * other.aa;
    bb += weight * other.bb;
    ab += weight * other.ab;
  }

  double similarity() const {
    const double var_a = aa - a * a, var_b = bb - b * b, covariance = ab - a * b;
    return (2 * a * b + kC1) * (2 * covariance + kC2) /
           ((a * a + b * b + kC1) * (var_a + var_b + kC2));
  }
};

struct RegionSum {
  std::array<double, kRegions.size()> similarity{};
  std::array<int64_t, kRegions.size()> pixels{};
};

/// Sums over the pixels of frame t whose window lies inside the frame.
RegionSum frame_sum(const ClipPair& pair, int64_t t) {
  static const std::array<double, kWindow> kWeights = gaussian();
  const int64_t height = pair.height(), width = pair.width(), first = t * height * width;
  const int64_t inner_width = width - 2 * kRadius;
  const auto* a = pair.result.data_ptr<uint8_t>() + 3 * first;
  const auto* b = pair.reference.data_ptr<uint8_t>() + 3 * first;

  // Means along rows, kept for the rows of one window.
  const int64_t row_values = inner_width * 3;
  std::vector<Moments> rows(kWindow * row_values);
  RegionSum sum;
  for (int64_t y = 0; y < height; ++y) {
    Moments* row = &rows[(y % kWindow) * row_values];
    for (int64_t i = 0; i < row_values; ++i) {
      Moments moments;
      for (int64_t k = 0; k < kWindow; ++k) {
        const int64_t at = 3 * y * width + i + 3 * k;
        const double va = a[at], vb = b[at];
        moments.add(kWeights[k], {va, vb, va * va, vb * vb, va * vb});
      }
      row[i] = moments;
    }
    if (y < kWindow - 1) continue;
    const int64_t centre_y = y - kRadius;
    for (int64_t x = 0; x < inner_width; ++x) {
      double similarity = 0;  // mean of the channels
      for (int64_t c = 0; c < 3; ++c) {
        Moments moments;
        for (int64_t k = 0; k < kWindow; ++k) {
          const int64_t at = (y - kWindow + 1 + k) % kWindow;
          moments.add(kWeights[k], rows[at * row_values + 3 * x + c]);
        }
        similarity += moments.similarity() / 3;
      }
      const int64_t pixel = first + centre_y * width + x + kRadius;
      for (size_t r = 0; r < kRegions.size(); ++r) {
        if (kRegions[r] != Region::all && !pair.covered) continue;
        if (!pair.contains(kRegions[r], pixel)) continue;
        sum.similarity[r] += similarity;
        ++sum.pixels[r];
      }
    }
  }
  return sum;
}

/// Structural similarity (Wang et al. 2004): 11 x 11 Gaussian window, sigma 1.5, K1 .01, K2 .03,
/// population covariance, mean of the channels. As scikit-image does, a border of 5 px, where the
/// window is cut off, is left out.
class Ssim final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip";

  struct Params {
    static auto schema() { return std::tuple{}; }
  };

  explicit Ssim(Params) {}

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const ClipPair pair = momap::clip_metric::clip_pair(inputs, "metric/ssim");
    const bool too_small = pair.height() < kWindow || pair.width() < kWindow;

    RegionSum total;
    if (!too_small && pair.first() < pair.frames()) {
      std::vector<RegionSum> sums(pair.frames());
      tbb::parallel_for(pair.first(), pair.frames(), [&](int64_t t) {
        context.check_cancelled();
        sums[t] = frame_sum(pair, t);
      });
      for (const RegionSum& sum : sums) {
        for (size_t r = 0; r < kRegions.size(); ++r) {
          total.similarity[r] += sum.similarity[r];
          total.pixels[r] += sum.pixels[r];
        }
      }
    }

    momap::Score score;
    for (size_t r = 0; r < kRegions.size(); ++r) {
      momap::ScoreValue value{fmt::format("ssim_{}", name_of(kRegions[r])), "",
                              momap::Direction::higher_is_better, std::nullopt,
                              pair.undefined_reason(kRegions[r])};
      value.worst = -1;
      if (value.undefined_reason.empty() && too_small) {
        value.undefined_reason = fmt::format("frames are {} x {} px, less than the {} x {} window",
                                             pair.width(), pair.height(), kWindow, kWindow);
      }
      if (value.undefined_reason.empty() && total.pixels[r] == 0) {
        value.undefined_reason = fmt::format("no {} pixel after frame 0 further than {} px inside",
                                             name_of(kRegions[r]), kRadius);
      }
      if (value.undefined_reason.empty()) {
        value.value = total.similarity[r] / static_cast<double>(total.pixels[r]);
      }
      score.values.push_back(std::move(value));
    }
    return score;
  }
};

}  // namespace

MOMAP_PLUGIN(Ssim, "metric/ssim", 1,
             "Structural similarity on all, covered and disoccluded pixels after frame 0.");
