// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <momap/base/text.h>
#include <momap/plugin/plugin.h>
#include <momap/stage/torch_threads.h>

#include "autoencoder.h"
#include "path_codec.h"
#include "reconstruction_loss.h"
#include "scene_guide.h"

namespace {

using momap::Condition;
using momap::ConfigError;
using momap::DataError;
using momap::Latent;
using momap::LatentSpec;
using momap::MoMap;
using momap::encoding::PathCodec;
using momap::encoding::TemporalBasis;
using vae::Architecture;
using vae::Autoencoder;
using vae::NamedTensors;

constexpr const char* kId = "encoding/vae";
constexpr uint32_t kVersion = 1;
constexpr double kMoves = 1e-4;      // frustum units: less is not motion
constexpr double kGuideless = 0.05;  // share of training examples decoded without a guide

/// Paths, first as DCT coefficients over time, through a learned autoencoder over space.
class Vae final : public momap::Encoding {
 public:
  struct Params {
    std::string weights;
    int coefficients = 8;
    int stride = 8;
    int channels = 8;
    int width = 64;
    double deadband = 0.3;
    double gradient = 0.5;
    double kl = 1e-5;
    double perceptual = 0;
    std::string perceptual_weights;
    int64_t seed = 0;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("weights", &Params::weights,
                "Checkpoint (safetensors) to load; empty: to be trained from `seed`.")
              .file(),
          param("coefficients", &Params::coefficients,
                "DCT coefficients over time of a network without weights.")
              .between(1, 64),
          param("stride", &Params::stride,
                "Pixels a latent cell along each side of a network without weights: 4, 8 or 16.")
              .between(4, 16)
              .unit("px"),
          param("channels", &Params::channels, "Of the latent of a network without weights.")
              .between(1, 256),
          param("width", &Params::width,
                "Channels of a network without weights at a quarter of the resolution, a multiple "
                "of 16.")
              .between(16, 512),
          param("deadband", &Params::deadband,
                "A decoded path that never leaves its start by more than this (3D distance times "
                "fx / z0) is made exactly still.")
              .at_least(0)
              .unit("px"),
          param("gradient", &Params::gradient,
                "Weight in training of differences of the error between neighbours, at three "
                "scales.")
              .at_least(0)
              .runtime_only(),
          param("kl", &Params::kl,
                "Weight in training of the latent's divergence from a standard normal.")
              .at_least(0)
              .runtime_only(),
          param("perceptual", &Params::perceptual,
                "Weight in training of the distance as the encoder of `perceptual_weights` sees "
                "it.")
              .at_least(0)
              .runtime_only(),
          param("perceptual_weights", &Params::perceptual_weights,
                "Checkpoint of an encoding/vae with as many coefficients, which stays as it is.")
              .file()
              .runtime_only(),
          param("seed", &Params::seed, "Of the first weights when there is no checkpoint."),
      };
    }
  };

  explicit Vae(Params params);

  Latent encode(const MoMap& momap, const momap::Context& context) override;
  MoMap decode(const Latent& latent, const Condition& condition,
               const momap::Context& context) override;
  at::Tensor motion(const at::Tensor& values, const LatentSpec& spec) const override;
  std::vector<at::Tensor> features(const at::Tensor& motion) const override;

  bool needs_training() const override { return !network_; }
  void measure(const MoMap& momap) override;
  void begin_training() override;
  NamedTensors parameters() const override {
    return network_ ? network_->parameters() : NamedTensors{};
  }
  at::Tensor loss(const MoMap& momap, const Condition& condition, uint64_t seed) const override;
  void save(const std::filesystem::path& path, const NamedTensors& parameters,
            const std::string& card) const override {
    vae::save_autoencoder(path, network(), parameters, card);
  }

 private:
  const Autoencoder& network() const {
    if (network_) return *network_;
    throw ConfigError(fmt::format(
        "{}: parameter 'weights' is empty, so there is no network yet; name a checkpoint (`momap "
        "train` writes one)",
        kId));
  }
  TemporalBasis basis(int64_t frames) const {
    return momap::encoding::cosines(network().architecture().curves, frames);
  }
  at::Tensor paths_of(const MoMap& momap, const momap::Context& context) const {
    return codec_.encode(momap, basis(momap.frames()), context).unsqueeze(0);
  }
  at::Tensor unit() const { return network().unit.view({1, -1, 1, 1}); }
  std::string normalization() const;
  void check(const Latent& latent) const;

  Params params_;
  std::unique_ptr<Autoencoder> network_, perceptual_;
  std::string name_ = "untrained";
  PathCodec codec_;
  at::Tensor squares_;  // f64 [3 K], over what moves in the maps measured
  double moving_ = 0;   // pixels
};

std::string name_of(const Autoencoder& network) {
  std::string hashes;
  for (const auto& [name, tensor] : network.parameters()) {
    hashes +=
        momap::content_hash({static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()});
  }
  return momap::content_hash(std::as_bytes(std::span(hashes))).substr(0, 12);
}

Vae::Vae(Params params) : params_(std::move(params)), codec_(kId, {1, params_.deadband, false}) {
  if (params_.width % 16 != 0) {
    throw ConfigError(
        fmt::format("{}: parameter 'width' = {} is not a multiple of 16", kId, params_.width));
  }
  if (params_.stride != 4 && params_.stride != 8 && params_.stride != 16) {
    throw ConfigError(
        fmt::format("{}: parameter 'stride' = {} is not 4, 8 or 16", kId, params_.stride));
  }
  if (params_.perceptual > 0 && params_.perceptual_weights.empty()) {
    throw ConfigError(fmt::format(
        "{}: parameter 'perceptual' = {} needs the network that sees the distance; name one as "
        "'perceptual_weights' (train without first)",
        kId, params_.perceptual));
  }
  if (!params_.weights.empty()) {
    network_ = vae::load_autoencoder(params_.weights);
    name_ = name_of(*network_);
  }
  if (!params_.perceptual_weights.empty()) {
    perceptual_ = vae::load_autoencoder(params_.perceptual_weights);
  }
}

std::string Vae::normalization() const {
  const Architecture& a = network().architecture();
  return fmt::format("autoencoder {}, coefficients={} stride={} channels={}", name_, a.curves,
                     a.stride, a.channels);
}

Latent Vae::encode(const MoMap& momap, const momap::Context& context) {
  momap::keep_torch_on_this_thread();
  const at::NoGradGuard no_grad;
  const at::Tensor paths = paths_of(momap, context) / unit();
  return {network().encode(paths).mean.contiguous(),
          {kId, kVersion, normalization(), momap.frames(), momap.height(), momap.width()}};
}

void Vae::check(const Latent& latent) const {
  const LatentSpec& spec = latent.spec;
  const auto fail = [](const std::string& what) {
    throw DataError(fmt::format("{}: {}", kId, what));
  };
  if (spec.encoding != kId || spec.version != kVersion || spec.normalization != normalization()) {
    fail(fmt::format(
        "the latent was made by {} version {} ('{}'), this step is {} version {} "
        "('{}'); use the weights it was encoded or trained with",
        spec.encoding, spec.version, spec.normalization, kId, kVersion, normalization()));
  }
  if (spec.frames < 1)
    fail(fmt::format("the latent says frames = {}; expected at least 1", spec.frames));
  const Architecture& a = network().architecture();
  const auto cells = [&](int64_t pixels) { return (pixels + a.stride - 1) / a.stride; };
  const std::vector<int64_t> expected{1, a.channels, cells(spec.height), cells(spec.width)};
  if (latent.values.sizes() != at::IntArrayRef(expected)) {
    fail(fmt::format("the latent has shape [{}], expected [{}]",
                     fmt::join(latent.values.sizes(), ", "), fmt::join(expected, ", ")));
  }
  if (!at::isfinite(latent.values).all().item<bool>())
    fail("the latent has values that are not finite");
}

MoMap Vae::decode(const Latent& latent, const Condition& condition, const momap::Context& context) {
  momap::keep_torch_on_this_thread();
  const at::NoGradGuard no_grad;
  check(latent);
  codec_.check_condition(latent.spec, condition);
  const at::Tensor paths = network().decode(latent.values, vae::scene_guide(condition)) * unit();
  return codec_.decode(paths[0], basis(latent.spec.frames), condition, context);
}

at::Tensor Vae::motion(const at::Tensor& values, const LatentSpec& spec) const {
  // Losses do not know the scene: as for the share of training examples without a guide.
  const int64_t stride = network().architecture().stride;
  const at::Tensor guide = at::zeros(
      {values.size(0), vae::kGuideChannels, stride * values.size(2), stride * values.size(3)},
      at::kFloat);
  return momap::encoding::displacements(network().decode(values, guide) * unit(),
                                        basis(spec.frames));
}

std::vector<at::Tensor> Vae::features(const at::Tensor& motion) const {
  return network().features(momap::encoding::coordinates(motion, basis(motion.size(1))) / unit());
}

void Vae::measure(const MoMap& momap) {
  const int64_t curves = network_ ? network_->architecture().curves : params_.coefficients;
  const at::Tensor paths =
      codec_.encode(momap, momap::encoding::cosines(curves, momap.frames()), momap::Context{})
          .to(at::kDouble);
  const at::Tensor moves = paths.square().sum(0).sqrt().gt(kMoves).to(at::kDouble);
  const at::Tensor squares = (paths.square() * moves).sum(at::IntArrayRef{1, 2});
  squares_ = squares_.defined() ? squares_ + squares : squares;
  moving_ += moves.sum().item<double>();
}

void Vae::begin_training() {
  if (!(moving_ > 0))
    throw ConfigError(fmt::format("{}: nothing moves in the maps to learn from", kId));
  if (perceptual_ && perceptual_->architecture().curves !=
                         (network_ ? network_->architecture().curves : params_.coefficients)) {
    throw ConfigError(fmt::format(
        "{}: {} has {} coefficients; the network that sees the distance must have as many as the "
        "one that learns",
        kId, momap::printable(params_.perceptual_weights), perceptual_->architecture().curves));
  }
  if (network_) return;  // its unit is part of what the weights mean
  network_ = std::make_unique<Autoencoder>(
      Architecture{params_.coefficients, params_.stride, params_.channels, params_.width},
      static_cast<uint64_t>(params_.seed));
  const at::Tensor rms = (squares_ / moving_).sqrt();
  // Weak channels are not blown up further than this.
  network_->unit = rms.clamp_min(0.05 * rms.max().item<double>()).to(at::kFloat);
}

at::Tensor Vae::loss(const MoMap& momap, const Condition& condition, uint64_t seed) const {
  momap::Random random(seed);
  at::Tensor guide = vae::scene_guide(condition);
  if (random.uniform() < kGuideless) guide = at::zeros_like(guide);
  at::Tensor paths = paths_of(momap, momap::Context{});
  paths = paths * paths.square().sum(1, true).sqrt().gt(kMoves) / unit();
  const Architecture& a = network().architecture();
  at::Tensor noise = at::empty({1, a.channels, (momap.height() + a.stride - 1) / a.stride,
                                (momap.width() + a.stride - 1) / a.stride},
                               at::kFloat);
  random.fill_normal({noise.data_ptr<float>(), static_cast<size_t>(noise.numel())});
  return vae::reconstruction_loss(network(), perceptual_.get(),
                                  {params_.gradient, params_.kl, params_.perceptual}, paths,
                                  momap.valid, guide, noise);
}

}  // namespace

MOMAP_PLUGIN(Vae, "encoding/vae", 1,
             "A learned autoencoder of paths, whose decoder sees where surfaces end.");
