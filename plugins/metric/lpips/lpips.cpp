// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <momap/base/hash.h>
#include <momap/plugin/plugin.h>
#include <tbb/parallel_for.h>

#include <array>
#include <optional>

#include "../clip_pair.h"
#include "../values.h"
#include "squeezenet.h"

namespace {

using momap::clip_metric::ClipPair;
using momap::clip_metric::kRegions;
using momap::clip_metric::Region;

/// Sum over frames and how many.
struct Mean {
  double sum = 0, count = 0;
};
using RegionMeans = std::array<Mean, kRegions.size()>;

/// Learned perceptual distance (Zhang et al., CVPR 2018) with SqueezeNet features: squared
/// differences of unit-length features, weighted by channel, mean over the picture, sum over
/// layers; mean over the frames after frame 0.
///
/// On a region, a feature cell counts by the share of its area in the region. Without linear layers
/// the channels weigh the same (the paper's baseline), and the values are named so. Every value's
/// name carries the network's name and the hash of all weights.
class Lpips final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip";

  struct Params {
    std::string network;
    std::string linear;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param(
              "network", &Params::network,
              "SqueezeNet weights (.npz): version 1.1 with torchvision's names, or 1.0 with those "
              "of the Caffe model.")
              .required()
              .file(),
          param(
              "linear", &Params::linear,
              "LPIPS's linear layers (.npz, lin0.model.1.weight, ...), which are made for version "
              "1.1; empty = all channels weigh the same.")
              .file(),
      };
    }
  };

  explicit Lpips(const Params& params) : network_(params.network) {
    std::string hash = momap::file_hash(params.network);
    if (!params.linear.empty()) {
      read_linear(params.linear);
      hash = momap::content_hash(hash + momap::file_hash(params.linear));
    }
    name_ = fmt::format("{}_{}_{}", linear_.empty() ? "lpips_unweighted" : "lpips", network_.name(),
                        hash.substr(0, 8));
  }

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    const ClipPair pair = momap::clip_metric::clip_pair(inputs, "metric/lpips");
    const int64_t smallest = momap::lpips::SqueezeNet::kSmallest;
    const bool too_small = pair.height() < smallest || pair.width() < smallest;
    std::vector<RegionMeans> frames(pair.frames());
    if (!too_small) {
      tbb::parallel_for(pair.first(), pair.frames(), [&](int64_t t) {
        context.check_cancelled();
        frames[t] = of_frame(pair, t);
      });
    }
    momap::Score score;
    for (size_t r = 0; r < kRegions.size(); ++r) {
      Mean total;
      for (const RegionMeans& frame : frames) {
        total.sum += frame[r].sum, total.count += frame[r].count;
      }
      std::string reason = pair.undefined_reason(kRegions[r]);
      if (reason.empty() && too_small) {
        reason = fmt::format("frames are {} x {} px, less than the network's {} x {}", pair.width(),
                             pair.height(), smallest, smallest);
      }
      if (reason.empty()) reason = fmt::format("no {} pixel after frame 0", name_of(kRegions[r]));
      score.values.push_back(momap::metric::mean(
          momap::metric::error(fmt::format("{}_{}", name_, name_of(kRegions[r])), ""), total.sum,
          total.count, reason));
    }
    return score;
  }

 private:
  void read_linear(const std::string& file) {
    momap::NpzFile npz(file);
    for (size_t layer = 0; layer < network_.channels().size(); ++layer) {
      const std::string array = fmt::format("lin{}.model.1.weight", layer);
      const at::Tensor weight = npz.read(array).to(at::kFloat).contiguous();
      if (weight.numel() != network_.channels()[layer]) {
        throw momap::ConfigError(
            fmt::format("{}: '{}' has {} weights but {} has {} channels there; expected linear "
                        "layers that were "
                        "made for this network",
                        file, array, weight.numel(), network_.name(), network_.channels()[layer]));
      }
      linear_.push_back(weight.reshape({1, -1, 1, 1}));
    }
  }

  RegionMeans of_frame(const ClipPair& pair, int64_t t) const {
    const at::NoGradGuard no_gradient;
    const auto a = network_.features(pair.result[t]), b = network_.features(pair.reference[t]);
    std::array<double, kRegions.size()> sums{};
    std::array<bool, kRegions.size()> defined{};
    for (size_t layer = 0; layer < a.size(); ++layer) {
      const at::Tensor squares = (unit(a[layer]) - unit(b[layer])).square();
      const at::Tensor distance =
          linear_.empty() ? squares.sum(1) : (squares * linear_[layer]).sum(1);  // [1, h, w]
      for (size_t r = 0; r < kRegions.size(); ++r) {
        const auto share = shares(pair, kRegions[r], t, distance.size(1), distance.size(2));
        if (!share) continue;
        const double area = share->sum(at::kDouble).item<double>();
        defined[r] = area > 0;
        if (defined[r]) sums[r] += (distance * *share).sum(at::kDouble).item<double>() / area;
      }
    }
    RegionMeans means;
    for (size_t r = 0; r < kRegions.size(); ++r) {
      if (defined[r]) means[r] = {sums[r], 1};
    }
    return means;
  }

  /// Features of length 1 at each place.
  static at::Tensor unit(const at::Tensor& features) {
    return features / (features.square().sum(1, /*keepdim=*/true).sqrt() + 1e-10);
  }

  /// Share of each cell's area that lies in the region, f32 [1, h, w].
  static std::optional<at::Tensor> shares(const ClipPair& pair, Region region, int64_t t, int64_t h,
                                          int64_t w) {
    if (region != Region::all && !pair.covered) return std::nullopt;
    at::Tensor mask = pair.covered ? (*pair.covered)[t] : at::Tensor();
    if (region == Region::all) {
      mask = pair.result[t].select(-1, 0).ge(0);
    } else if (region == Region::disoccluded) {
      mask = mask.logical_not();
    }
    return at::adaptive_avg_pool2d(mask.to(at::kFloat).unsqueeze(0), {h, w});
  }

  momap::lpips::SqueezeNet network_;
  std::vector<at::Tensor> linear_;  // [1, C, 1, 1] of each layer; empty = unweighted
  std::string name_;
};

}  // namespace

MOMAP_PLUGIN(Lpips, "metric/lpips", 1,
             "Learned perceptual distance with SqueezeNet weights given by file, on all, covered "
             "and disoccluded pixels.");
