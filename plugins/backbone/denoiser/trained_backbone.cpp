// SPDX-License-Identifier: Apache-2.0
#include "trained_backbone.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>

#include <vector>

#include "conditioning.h"

namespace denoiser {

using momap::Condition;
using momap::Conditioning;
using momap::ConfigError;
using momap::DataError;
using momap::LatentSpec;

TrainedBackbone::TrainedBackbone(Kind kind, DenoiserParams params, Shape own)
    : kind_(std::move(kind)), params_(std::move(params)), given_(std::move(own)) {
  const auto also = condition_numbers();
  kind_.numbers.insert(kind_.numbers.end(), also.begin(), also.end());
  given_.merge(given({{"text_width", params_.text_width},
                      {"detail", params_.detail},
                      {"tokens", params_.tokens}}));
  if (params_.text_layers >= 0) given_["text_layers"] = params_.text_layers;
  Shape shape = given_;
  for (const ShapeNumber& number : kind_.numbers) {
    shape.try_emplace(number.name, number.fresh);
    const std::string fault = fault_of(number, shape.at(number.name));
    if (!fault.empty()) throw ConfigError(fmt::format("{}: parameter {}", kind_.id, fault));
  }
  if (!params_.weights.empty()) {
    trained_ = load_checkpoint(params_.weights, kind_);
    check_given();
  } else if (const std::string fault = fault_of(shape); !fault.empty()) {
    throw ConfigError(fmt::format("{}: parameter {}", kind_.id, fault));
  }
}

// Parameters that were given must agree with the checkpoint.
void TrainedBackbone::check_given() const {
  std::vector<std::string> wrong;
  for (const auto& [name, value] : given_) {
    if (value != trained_->shape.at(name)) {
      wrong.push_back(fmt::format("parameter '{}' = {}, the checkpoint has {}", name, value,
                                  trained_->shape.at(name)));
    }
  }
  const std::string stored = name_of(trained_->spec.prediction);
  if (!params_.prediction.empty() && params_.prediction != stored) {
    wrong.push_back(fmt::format("parameter 'prediction' = {}, the checkpoint has {}",
                                params_.prediction, stored));
  }
  if (wrong.empty()) return;
  throw ConfigError(
      fmt::format("{}: {} is of another architecture:\n  {}\n  leave these parameters out",
                  kind_.id, momap::printable(params_.weights), momap::join(wrong, "\n  ")));
}

const Trained& TrainedBackbone::trained() const {
  if (trained_) return *trained_;
  throw ConfigError(
      fmt::format("{}: parameter 'weights' is empty, so there is nothing to predict with; name a "
                  "checkpoint (`momap train` writes one)",
                  kind_.id));
}

Conditioning TrainedBackbone::prepare(const Condition& condition) const {
  const Trained& t = trained();
  return make_conditioning(condition, t.spec.stride, t.shape.at("detail"), t.shape.at("tokens"));
}

at::Tensor TrainedBackbone::predict(const at::Tensor& noisy, const at::Tensor& noise_level,
                                    const Conditioning& conditioning) const {
  const Trained& t = trained();
  const auto expect = [&](const at::Tensor& tensor, const char* name, std::vector<int64_t> shape) {
    if (tensor.sizes() == at::IntArrayRef(shape)) return;
    throw DataError(fmt::format("{}: {} has shape [{}], expected [{}]", kind_.id, name,
                                fmt::join(tensor.sizes(), ", "), fmt::join(shape, ", ")));
  };
  if (noisy.dim() != 4 || noisy.numel() == 0) {
    throw DataError(fmt::format("{}: the latent has shape [{}], expected [B, {}, h, w]", kind_.id,
                                fmt::join(noisy.sizes(), ", "), t.spec.channels));
  }
  const int64_t batch = noisy.size(0);
  expect(noisy, "the latent", {batch, t.spec.channels, noisy.size(2), noisy.size(3)});
  expect(noise_level, "the noise level", {batch});
  const int64_t detail = t.shape.at("detail");
  expect(conditioning.spatial, "the condition",
         {batch, kConditionChannels * detail * detail, noisy.size(2), noisy.size(3)});
  expect(conditioning.tokens, "the text", {batch, t.shape.at("tokens")});
  return t.network->forward(noisy, noise_level, conditioning.spatial, conditioning.tokens);
}

// The scale stays: it is part of what the weights mean.
void TrainedBackbone::check_same(const LatentSpec& latent, int64_t stride, int64_t channels) const {
  const momap::BackboneSpec& spec = trained_->spec;
  const LatentSpec& had = spec.latent;
  if (channels == spec.channels && stride == spec.stride && latent.encoding == had.encoding &&
      latent.version == had.version && latent.normalization == had.normalization &&
      latent.frames == had.frames) {
    return;
  }
  throw ConfigError(fmt::format(
      "{}: {} was trained on {} version {} ('{}', {} channels, {} frames, stride {}), not on {} "
      "version {} ('{}', {} channels, {} frames, stride {}); train from no weights or change the "
      "encoding",
      kind_.id, momap::printable(params_.weights), had.encoding, had.version, had.normalization,
      spec.channels, had.frames, spec.stride, latent.encoding, latent.version, latent.normalization,
      channels, latent.frames, stride));
}

void TrainedBackbone::begin_training(const LatentSpec& latent, int64_t stride,
                                     const at::Tensor& scale) {
  if (scale.dim() != 1 || scale.numel() == 0 || !scale.gt(0).all().item<bool>() ||
      !at::isfinite(scale).all().item<bool>()) {
    throw ConfigError(
        fmt::format("{}: the latent's scale must be one finite number > 0 a channel; are the "
                    "training latents finite and do they move?",
                    kind_.id));
  }
  if (trained_) return check_same(latent, stride, scale.numel());
  Shape shape = given_;
  for (const ShapeNumber& number : kind_.numbers) shape.try_emplace(number.name, number.fresh);
  shape["channels"] = scale.numel();
  if (stride % shape.at("detail") != 0) {
    throw ConfigError(
        fmt::format("{}: parameter 'detail' = {} does not divide the latent's stride = {}",
                    kind_.id, shape.at("detail"), stride));
  }
  const auto prediction =
      params_.prediction.empty() ? momap::Prediction::v : prediction_named(params_.prediction);
  Trained fresh{shape,
                kind_.make(shape, static_cast<uint64_t>(params_.seed)),
                {prediction, scale.numel(), latent, stride, scale.to(at::kFloat).clone()}};
  fresh.spec.latent.height = 0;
  fresh.spec.latent.width = 0;
  trained_ = std::move(fresh);
}

void TrainedBackbone::save(const std::filesystem::path& path, const NamedTensors& parameters,
                           const std::string& card) const {
  save_checkpoint(path, kind_, trained(), parameters, params_.storage, card);
}

}  // namespace denoiser
