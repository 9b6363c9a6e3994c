// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <momap/base/hash.h>
#include <momap/plugin/plugin.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>
#include <vector>

#include "../feature_pool.h"

namespace {

constexpr int64_t kFramesAtOnce = 8;  // bounds the memory of one call of the network

/// Frechet distance between features of the result's and the reference's pictures over a run: FID
/// with a network for pictures, FVD with one for videos. The values carry the network's name and
/// hash: those of other networks are not comparable.
class Frechet final : public momap::Metric {
 public:
  static constexpr const char* kInputs = "result: clip, reference: clip";

  struct Params {
    std::string network;
    std::string input = "frames";
    int64_t size = 0;
    double black = 0, white = 1;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("network", &Params::network,
                "TorchScript file; takes pictures f32 [N, 3, H, W] or a video [1, 3, T, H, W], "
                "gives features [N, D].")
              .required()
              .file(),
          param("input", &Params::input, "What the network takes: every frame, or the clip.")
              .one_of({"frames", "clip"}),
          param("size", &Params::size, "Pictures are resized to this square; 0 = as they are.")
              .unit("px")
              .between(0, 4096),
          param("black", &Params::black, "What the network wants for level 0."),
          param("white", &Params::white, "What the network wants for level 255."),
      };
    }
  };

  explicit Frechet(Params params) : params_(std::move(params)) {
    const std::filesystem::path file = params_.network;
    name_ = fmt::format("{}_{}_{}", params_.input == "frames" ? "fid" : "fvd", file.stem().string(),
                        momap::file_hash(file).substr(0, 8));
    try {
      module_ = torch::jit::load(params_.network);
      module_.eval();
    } catch (const std::exception& error) {
      throw momap::ConfigError(
          fmt::format("{}: parameter 'network' is no TorchScript file that this LibTorch reads: {}",
                      params_.network, first_line(error.what())));
    }
  }

  momap::Score score(const momap::Inputs& inputs, const momap::Context& context) override {
    momap::Score score;
    for (const char* port : {momap::metric::kResultFeatures, momap::metric::kReferenceFeatures}) {
      score.features[port] = features_of(*inputs.get<momap::Clip>(port), context);
    }
    momap::ScoreValue count{name_ + "_vectors_of_sample", "", momap::Direction::higher_is_better,
                            std::nullopt, ""};
    count.worst = 0;
    score.values.push_back(momap::metric::defined(
        count, static_cast<double>(score.features[momap::metric::kResultFeatures].size(0))));
    return score;
  }

  std::unique_ptr<momap::ScorePool> pool() const override {
    return std::make_unique<momap::metric::FrechetPool>(name_, "metric/frechet");
  }

 private:
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  at::Tensor features_of(const momap::Clip& clip, const momap::Context& context) {
    if (params_.input == "clip")
      return run(pictures(clip.frames).permute({1, 0, 2, 3}).unsqueeze(0));
    std::vector<at::Tensor> parts;
    for (int64_t t = 0; t < clip.length(); t += kFramesAtOnce) {
      context.check_cancelled();
      parts.push_back(run(pictures(clip.frames.slice(0, t, t + kFramesAtOnce))));
    }
    return at::cat(parts);
  }

  // u8 [N, H, W, 3] -> f32 [N, 3, h, w]
  at::Tensor pictures(const at::Tensor& frames) const {
    at::Tensor x = frames.permute({0, 3, 1, 2}).to(at::kFloat);
    x = x * ((params_.white - params_.black) / 255) + params_.black;
    if (params_.size == 0) return x.contiguous();
    return at::upsample_bilinear2d(x, {params_.size, params_.size}, false);
  }

  at::Tensor run(const at::Tensor& input) {
    const at::NoGradGuard no_gradient;
    at::Tensor features;
    try {
      features = module_.forward({input}).toTensor().to(at::kCPU, at::kFloat).contiguous();
    } catch (const std::exception& error) {
      throw momap::DataError(fmt::format("metric/frechet: the network fails on {}: {}",
                                         input.sizes().vec(), first_line(error.what())));
    }
    const int64_t expected = params_.input == "clip" ? 1 : input.size(0);
    if (features.dim() != 2 || features.size(0) != expected) {
      throw momap::DataError(
          fmt::format("metric/frechet: the network gives {} for {}; expected [{}, D]",
                      features.sizes().vec(), input.sizes().vec(), expected));
    }
    return features;
  }

  Params params_;
  std::string name_;
  torch::jit::Module module_;
};

}  // namespace

MOMAP_PLUGIN(Frechet, "metric/frechet", 1,
             "Frechet distance of network features over a run: FID or FVD, by the network given.");
