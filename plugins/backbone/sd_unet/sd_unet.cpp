// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/plugin/plugin.h>

#include <optional>

#include "adapted.h"
#include "conditioning.h"
#include "tokenizer.h"

namespace {

using momap::BackboneSpec;
using momap::Condition;
using momap::Conditioning;
using momap::ConfigError;
using momap::LatentSpec;

/// The denoiser of an existing image generator (Stable Diffusion 1.x and 2.x; Rombach et al. 2022)
/// whose first and last convolution are widened to motion-map latents and conditions. Text goes
/// through its own frozen encoder, the image through its own frozen autoencoder.
class SdUNet final : public momap::Backbone {
 public:
  struct Params {
    std::string model;
    std::string weights;
    std::string storage = "f16";

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("model", &Params::model,
                "Folder of an image generator as the diffusers library writes it: unet, scheduler, "
                "and, where the generator has them, text_encoder, tokenizer and vae.")
              .file()
              .required(),
          param("weights", &Params::weights,
                "U-Net trained by `momap train`; empty: that of `model`, to be trained.")
              .file(),
          param("storage", &Params::storage, "How `momap train` writes the weights.")
              .one_of({"f16", "f32"})
              .runtime_only(),
      };
    }
  };

  explicit SdUNet(Params params);

  BackboneSpec spec() const override;
  Conditioning prepare(const Condition& condition) const override;
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor& time,
                     const Conditioning& conditioning) const override;
  diffusers::NamedTensors parameters() const override {
    return adapted_ ? adapted_->unet.parameters : diffusers::NamedTensors{};
  }
  void begin_training(const LatentSpec& latent, int64_t stride, const at::Tensor& scale) override;
  void save(const std::filesystem::path& path, const diffusers::NamedTensors& parameters,
            const std::string& card) const override;

 private:
  void need_weights() const;
  int64_t condition_channels() const {
    return denoiser::kConditionChannels + (vae_ ? vae_->config().latent_channels : 0);
  }
  at::Tensor encode_text(const std::string& text) const;
  at::Tensor encode_image(const at::Tensor& image, int64_t height, int64_t width) const;
  void check_fit() const;

  Params params_;
  diffusers::Training training_;
  diffusers::UNetConfig original_;
  std::optional<diffusers::Tokenizer> tokenizer_;
  std::optional<diffusers::ClipText> text_encoder_;
  std::optional<diffusers::Vae> vae_;
  at::Tensor no_text_;  // f32 [1, L, D], of the empty prompt
  std::optional<sd_unet::Adapted> adapted_;
};

SdUNet::SdUNet(Params params) : params_(std::move(params)) {
  const std::filesystem::path model = params_.model;
  training_ = diffusers::read_scheduler(model / "scheduler");
  original_ = diffusers::read_unet_config(diffusers::ConfigReader(model / "unet" / "config.json"));
  if (std::filesystem::exists(model / "vae")) {
    vae_ = std::move(diffusers::load_vae(model / "vae").network);
    if (vae_->config().in_channels != 3) {
      throw ConfigError(fmt::format("{}: encodes images of {} channels; expected 3",
                                    momap::shown(model / "vae"), vae_->config().in_channels));
    }
  }
  if (original_.reads_text) {
    tokenizer_.emplace(model / "tokenizer");
    text_encoder_ = std::move(diffusers::load_clip_text(model / "text_encoder").network);
    const auto& text = text_encoder_->config();
    if (text.width != original_.text_width || text.vocabulary < tokenizer_->vocabulary() ||
        text.positions < tokenizer_->length()) {
      throw ConfigError(fmt::format(
          "{}: text_encoder gives {} numbers a token for {} tokens of {} known ones, unet reads {} "
          "and tokenizer makes {} of {}; do they belong together?",
          momap::shown(model), text.width, text.positions, text.vocabulary, original_.text_width,
          tokenizer_->length(), tokenizer_->vocabulary()));
    }
    no_text_ = encode_text("");
  }
  if (params_.weights.empty()) return;
  adapted_ = sd_unet::load_adapted(params_.weights);
  check_fit();
}

// Trained weights must be of the same generator.
void SdUNet::check_fit() const {
  const diffusers::UNetConfig& c = adapted_->unet.network.config();
  const int64_t expected = c.out_channels + condition_channels();
  if (c.in_channels == expected && c.reads_text == original_.reads_text &&
      c.text_width == original_.text_width) {
    return;
  }
  throw ConfigError(fmt::format(
      "backbone/sd_unet: {} reads {} channels and text of width {}; with the generator in {} it "
      "must read {} and {}; name the generator it was trained from",
      momap::printable(params_.weights), c.in_channels, c.text_width,
      momap::printable(params_.model), expected, original_.text_width));
}

void SdUNet::need_weights() const {
  if (adapted_) return;
  throw ConfigError(
      "backbone/sd_unet: parameter 'weights' is empty, and an image generator as it is knows "
      "nothing of motion; train one with `momap train` and name its checkpoint");
}

BackboneSpec SdUNet::spec() const {
  BackboneSpec spec = adapted_ ? adapted_->spec : BackboneSpec{};
  spec.prediction = training_.prediction;
  spec.schedule = training_.schedule;
  return spec;
}

at::Tensor SdUNet::encode_text(const std::string& text) const {
  const at::NoGradGuard no_grad;
  return text_encoder_->forward(at::tensor(tokenizer_->encode(text), at::kLong).unsqueeze(0)).last;
}

// The autoencoder's mean on a grid of height x width cells, in the units the generator was trained
// with.
at::Tensor SdUNet::encode_image(const at::Tensor& image, int64_t height, int64_t width) const {
  const at::NoGradGuard no_grad;
  const int64_t stride = vae_->config().stride();
  const at::Tensor pixels = image.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat) / 127.5 - 1.0;
  const at::Tensor fitted = at::_upsample_bilinear2d_aa(
      pixels.contiguous(), {height * stride, width * stride}, /*align_corners=*/false);
  return vae_->encode(fitted).mean * vae_->config().scaling_factor;
}

Conditioning SdUNet::prepare(const Condition& condition) const {
  need_weights();
  Conditioning out = denoiser::make_conditioning(condition, adapted_->spec.stride);
  if (vae_) {
    const at::Tensor image =
        encode_image(condition.image, out.spatial.size(2), out.spatial.size(3));
    out.spatial = at::cat({out.spatial, image}, 1);
  }
  // One flag instead of words: whether there is a text.
  out.tokens = at::full({1, 1}, original_.reads_text && !condition.text.empty() ? 1 : 0, at::kLong);
  if (original_.reads_text) out.text = encode_text(condition.text);
  return out;
}

at::Tensor SdUNet::predict(const at::Tensor& noisy, const at::Tensor& time,
                           const Conditioning& given) const {
  need_weights();
  const auto expect = [](const at::Tensor& tensor, const char* name, std::vector<int64_t> shape) {
    if (tensor.defined() && tensor.sizes() == at::IntArrayRef(shape)) return;
    throw momap::DataError(fmt::format(
        "backbone/sd_unet: {} has shape [{}], expected [{}]", name,
        fmt::join(tensor.defined() ? tensor.sizes().vec() : std::vector<int64_t>{}, ", "),
        fmt::join(shape, ", ")));
  };
  if (noisy.dim() != 4 || noisy.numel() == 0) {
    throw momap::DataError(
        fmt::format("backbone/sd_unet: the latent has shape [{}], expected [B, {}, h, w]",
                    fmt::join(noisy.sizes().vec(), ", "), adapted_->spec.channels));
  }
  const int64_t batch = noisy.size(0);
  expect(noisy, "the latent", {batch, adapted_->spec.channels, noisy.size(2), noisy.size(3)});
  expect(time, "the time", {batch});
  expect(given.spatial, "the condition",
         {batch, condition_channels(), noisy.size(2), noisy.size(3)});
  at::Tensor text;
  if (original_.reads_text) {
    expect(given.tokens, "the text's flag", {batch, 1});
    expect(given.text, "the text", {batch, no_text_.size(1), no_text_.size(2)});
    text = at::where(given.tokens.ne(0).unsqueeze(2), given.text, no_text_);
  }
  const diffusers::UNet& unet = adapted_->unet.network;
  return unet.forward(at::cat({noisy, given.spatial}, 1), unet.sinusoid(time), text);
}

void SdUNet::begin_training(const LatentSpec& latent, int64_t stride, const at::Tensor& scale) {
  if (scale.dim() != 1 || scale.numel() == 0 || !scale.gt(0).all().item<bool>() ||
      !at::isfinite(scale).all().item<bool>()) {
    throw ConfigError(
        "backbone/sd_unet: the latent's scale must be one finite number > 0 a channel; are the "
        "training latents finite and do they move?");
  }
  if (adapted_) {
    LatentSpec expected = adapted_->spec.latent;
    expected.height = latent.height;
    expected.width = latent.width;
    if (scale.numel() == adapted_->spec.channels && stride == adapted_->spec.stride &&
        latent == expected) {
      return;  // the scale is part of what the weights mean
    }
    throw ConfigError(fmt::format(
        "backbone/sd_unet: {} was trained on {} version {} ('{}', {} channels, {} frames, stride "
        "{}), not on {} version {} ('{}', {} channels, {} frames, stride {}); train from no "
        "weights or change the encoding",
        momap::printable(params_.weights), expected.encoding, expected.version,
        expected.normalization, adapted_->spec.channels, expected.frames, adapted_->spec.stride,
        latent.encoding, latent.version, latent.normalization, scale.numel(), latent.frames,
        stride));
  }
  adapted_ = sd_unet::adapt(std::filesystem::path(params_.model) / "unet",
                            scale.numel() + condition_channels(), scale.numel());
  BackboneSpec& spec = adapted_->spec;
  spec.channels = scale.numel();
  spec.stride = stride;
  spec.scale = scale.to(at::kFloat).clone();
  spec.latent = latent;
  spec.latent.height = 0;
  spec.latent.width = 0;
}

void SdUNet::save(const std::filesystem::path& path, const diffusers::NamedTensors& parameters,
                  const std::string& card) const {
  need_weights();
  sd_unet::save_adapted(path, *adapted_, parameters, params_.storage, card);
}

}  // namespace

MOMAP_PLUGIN(SdUNet, "backbone/sd_unet", 1,
             "The U-Net of an existing image generator, widened to motion maps and trained on.");
