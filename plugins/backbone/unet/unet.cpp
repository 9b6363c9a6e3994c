// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/plugin/plugin.h>

#include "checkpoint.h"
#include "conditioning.h"
#include "network.h"

namespace {

using momap::BackboneSpec;
using momap::Condition;
using momap::Conditioning;
using momap::ConfigError;
using momap::LatentSpec;

/// A convolutional denoiser that predicts velocity, v = alpha eps - sigma x_0, or the clean latent
/// x_0. It sees image, point
/// map and segment edges as further input channels, and the prompt as hashed words it learns.
class UNet final : public momap::Backbone {
 public:
  struct Params {
    std::string weights;
    int width = 0;
    int levels = 0;
    int blocks = 0;
    int text_width = 0;
    int detail = 0;
    int tokens = 0;
    int text_layers = -1;
    int attention = 0;
    std::string prediction;
    int64_t seed = 0;
    std::string storage = "f16";

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("weights", &Params::weights,
                "Checkpoint (safetensors) to load; empty: to be trained from `seed`.")
              .file(),
          param("width", &Params::width,
                "Channels at full resolution, a multiple of 8; twice to four times that below. "
                "0: as the checkpoint says, or 32.")
              .between(0, 512),
          param("levels", &Params::levels,
                "Resolutions, each half of the one above. 0: as the checkpoint says, or 3.")
              .between(0, 6),
          param("blocks", &Params::blocks,
                "Residual blocks a level, down and up. 0: as the checkpoint says, or 1.")
              .between(0, 8),
          param("text_width", &Params::text_width,
                "Numbers that stand for a word. 0: as the checkpoint says, or 64.")
              .between(0, 1024),
          param("detail", &Params::detail,
                "The condition is read on a grid so many times finer than the latent's, along each "
                "side: 1, 2, 4 or 8, a divisor of the encoding's stride. 0: as the checkpoint "
                "says, or 1.")
              .between(0, 8),
          param("tokens", &Params::tokens,
                "Words of the prompt that count. 0: as the checkpoint says, or 16.")
              .between(0, 256),
          param("text_layers", &Params::text_layers,
                "Layers of attention between the words. -1: as the checkpoint says, or 0.")
              .between(-1, 8),
          param("attention", &Params::attention,
                "How many of the lowest levels attend to themselves and the words. 0: as the "
                "checkpoint says, or 1.")
              .between(0, 6),
          param("prediction", &Params::prediction,
                "What is predicted: velocity, or the clean latent, which is easier where most of a "
                "scene stands still. Empty: as the checkpoint says, or v.")
              .one_of({"", "v", "x0"}),
          param("seed", &Params::seed, "Of the first weights when there is no checkpoint."),
          param("storage", &Params::storage, "How `momap train` writes the weights.")
              .one_of({"f16", "f32"})
              .runtime_only(),
      };
    }
  };

  explicit UNet(Params params) : params_(std::move(params)) {
    if (params_.width % 8 != 0) {
      throw ConfigError(fmt::format("backbone/unet: parameter 'width' = {} is not a multiple of 8",
                                    params_.width));
    }
    if ((params_.detail & (params_.detail - 1)) != 0) {
      throw ConfigError(fmt::format("backbone/unet: parameter 'detail' = {} is not 1, 2, 4 or 8",
                                    params_.detail));
    }
    if (params_.text_layers > 0 && params_.text_width % 8 != 0) {
      throw ConfigError(
          fmt::format("backbone/unet: parameter 'text_width' = {} is not a multiple of 8, which "
                      "'text_layers' = {} needs",
                      params_.text_width, params_.text_layers));
    }
    if (params_.weights.empty()) return;
    unet::Trained trained = unet::load_checkpoint(params_.weights);
    network_ = std::move(trained.network);
    spec_ = std::move(trained.spec);
    check_architecture();
  }

  BackboneSpec spec() const override { return spec_; }
  Conditioning prepare(const Condition& condition) const override;
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor& noise_level,
                     const Conditioning& conditioning) const override;
  unet::NamedTensors parameters() const override {
    return network_ ? network_->parameters() : unet::NamedTensors{};
  }
  void begin_training(const LatentSpec& latent, int64_t stride, const at::Tensor& scale) override;
  void save(const std::filesystem::path& path, const unet::NamedTensors& parameters,
            const std::string& card) const override;

 private:
  void check_architecture() const;
  void need_weights() const {
    if (network_) return;
    throw ConfigError(
        "backbone/unet: parameter 'weights' is empty, so there is nothing to predict with; name a "
        "checkpoint "
        "(`momap train` writes one)");
  }

  Params params_;
  std::shared_ptr<unet::Network> network_;
  BackboneSpec spec_;
};

// Parameters that were given must agree with the checkpoint.
void UNet::check_architecture() const {
  const unet::Architecture& a = network_->architecture();
  std::vector<std::string> wrong;
  const auto compare = [&](const char* name, int given, int64_t stored) {
    if (given != 0 && given != stored) {
      wrong.push_back(
          fmt::format("parameter '{}' = {}, the checkpoint has {}", name, given, stored));
    }
  };
  compare("width", params_.width, a.width);
  compare("levels", params_.levels, a.levels);
  compare("blocks", params_.blocks, a.blocks);
  compare("text_width", params_.text_width, a.text_width);
  compare("detail", params_.detail, a.detail);
  compare("tokens", params_.tokens, a.tokens);
  if (params_.text_layers >= 0 && params_.text_layers != a.text_layers) {
    wrong.push_back(fmt::format("parameter 'text_layers' = {}, the checkpoint has {}",
                                params_.text_layers, a.text_layers));
  }
  compare("attention", params_.attention, a.attention);
  const char* const stored = spec_.prediction == momap::Prediction::x0 ? "x0" : "v";
  if (!params_.prediction.empty() && params_.prediction != stored) {
    wrong.push_back(fmt::format("parameter 'prediction' = {}, the checkpoint has {}",
                                params_.prediction, stored));
  }
  if (wrong.empty()) return;
  throw ConfigError(fmt::format(
      "backbone/unet: {} is of another architecture:\n  {}\n  leave these parameters out",
      momap::printable(params_.weights), momap::join(wrong, "\n  ")));
}

Conditioning UNet::prepare(const Condition& condition) const {
  need_weights();
  const unet::Architecture& a = network_->architecture();
  return unet::make_conditioning(condition, spec_.stride, a.detail, a.tokens);
}

at::Tensor UNet::predict(const at::Tensor& noisy, const at::Tensor& noise_level,
                         const Conditioning& conditioning) const {
  need_weights();
  const auto expect = [](const at::Tensor& tensor, const char* name, std::vector<int64_t> shape) {
    if (tensor.sizes() == at::IntArrayRef(shape)) return;
    throw momap::DataError(fmt::format("backbone/unet: {} has shape [{}], expected [{}]", name,
                                       fmt::join(tensor.sizes(), ", "), fmt::join(shape, ", ")));
  };
  if (noisy.dim() != 4 || noisy.numel() == 0) {
    throw momap::DataError(
        fmt::format("backbone/unet: the latent has shape [{}], expected [B, {}, h, w]",
                    fmt::join(noisy.sizes(), ", "), spec_.channels));
  }
  const int64_t batch = noisy.size(0);
  expect(noisy, "the latent", {batch, spec_.channels, noisy.size(2), noisy.size(3)});
  expect(noise_level, "the noise level", {batch});
  const unet::Architecture& a = network_->architecture();
  expect(conditioning.spatial, "the condition",
         {batch, unet::kConditionChannels * a.detail * a.detail, noisy.size(2), noisy.size(3)});
  expect(conditioning.tokens, "the text", {batch, a.tokens});
  return network_->forward(noisy, noise_level, conditioning.spatial, conditioning.tokens);
}

void UNet::begin_training(const LatentSpec& latent, int64_t stride, const at::Tensor& scale) {
  if (scale.dim() != 1 || scale.numel() == 0 || !scale.gt(0).all().item<bool>() ||
      !at::isfinite(scale).all().item<bool>()) {
    throw ConfigError(
        "backbone/unet: the latent's scale must be one finite number > 0 a channel; are the "
        "training "
        "latents finite and do they move?");
  }
  if (network_) {
    const LatentSpec& had = spec_.latent;
    if (scale.numel() != spec_.channels || stride != spec_.stride ||
        latent.encoding != had.encoding || latent.version != had.version ||
        latent.normalization != had.normalization || latent.frames != had.frames) {
      throw ConfigError(
          fmt::format("backbone/unet: {} was trained on {} version {} ('{}', {} channels, {} "
                      "frames, stride {}), not on {} version "
                      "{} ('{}', {} channels, {} frames, stride {}); train from no weights or "
                      "change the encoding",
                      momap::printable(params_.weights), had.encoding, had.version,
                      had.normalization, spec_.channels, had.frames, spec_.stride, latent.encoding,
                      latent.version, latent.normalization, scale.numel(), latent.frames, stride));
    }
    return;  // the scale is part of what the weights mean
  }
  const auto given_or = [](int given, int64_t otherwise) { return given != 0 ? given : otherwise; };
  const unet::Architecture architecture{scale.numel(),
                                        given_or(params_.width, 32),
                                        given_or(params_.levels, 3),
                                        given_or(params_.blocks, 1),
                                        given_or(params_.text_width, 64),
                                        given_or(params_.detail, 1),
                                        given_or(params_.tokens, unet::kMaxTokens),
                                        std::max(0, params_.text_layers),
                                        given_or(params_.attention, 1)};
  if (stride % architecture.detail != 0) {
    throw ConfigError(fmt::format(
        "backbone/unet: parameter 'detail' = {} does not divide the latent's stride = {}",
        architecture.detail, stride));
  }
  network_ = std::make_shared<unet::Network>(architecture, static_cast<uint64_t>(params_.seed));
  const auto prediction = params_.prediction == "x0" ? momap::Prediction::x0 : momap::Prediction::v;
  spec_ = {prediction, scale.numel(), latent, stride, scale.to(at::kFloat).clone()};
  spec_.latent.height = 0;
  spec_.latent.width = 0;
}

void UNet::save(const std::filesystem::path& path, const unet::NamedTensors& parameters,
                const std::string& card) const {
  need_weights();
  unet::save_checkpoint(path, network_->architecture(), spec_, parameters, params_.storage, card);
}

}  // namespace

MOMAP_PLUGIN(UNet, "backbone/unet", 1,
             "A convolutional denoiser that sees image, point map, segments and prompt.");
