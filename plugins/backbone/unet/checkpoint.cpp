// SPDX-License-Identifier: Apache-2.0
#include "checkpoint.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/tensor_file.h>
#include <network/checkpoint_reader.h>

namespace unet {
namespace {

constexpr const char* kFormat = "momap backbone/unet 1";
constexpr const char* kScale = "latent.scale";

}  // namespace

Trained load_checkpoint(const std::filesystem::path& path) {
  momap::network::CheckpointReader in(path, "backbone/unet");
  const std::string format = in.text("format");
  in.expect(format == kFormat, fmt::format("metadata 'format' = '{}', expected '{}'",
                                           momap::printable(format), kFormat));
  in.throw_if_wrong();

  Architecture a;
  a.channels = in.number("architecture.channels", 1, 4096);
  a.width = in.number("architecture.width", 8, 512);
  a.levels = in.number("architecture.levels", 1, 6);
  a.blocks = in.number("architecture.blocks", 1, 8);
  a.text_width = in.number("architecture.text_width", 1, 1024);
  a.detail = in.number_or("architecture.detail", 1, 1, 8);
  a.tokens = in.number_or("architecture.tokens", 16, 1, 256);
  a.text_layers = in.number_or("architecture.text_layers", 0, 0, 8);
  a.attention = in.number_or("architecture.attention", 1, 1, 6);
  in.expect((a.detail & (a.detail - 1)) == 0,
            fmt::format("metadata 'architecture.detail' = {} is not 1, 2, 4 or 8", a.detail));
  in.expect(a.width % 8 == 0,
            fmt::format("metadata 'architecture.width' = {} is not a multiple of 8", a.width));

  Trained out;
  momap::BackboneSpec& spec = out.spec;
  const std::string prediction = in.text("prediction");
  in.expect(prediction == "v" || prediction == "x0",
            fmt::format("metadata 'prediction' = '{}', expected 'v' or 'x0'",
                        momap::printable(prediction)));
  spec.prediction = prediction == "x0" ? momap::Prediction::x0 : momap::Prediction::v;
  spec.channels = a.channels;
  spec.stride = in.number("latent.stride", 1, 64);
  spec.latent.encoding = in.text("latent.encoding");
  spec.latent.version = static_cast<uint32_t>(in.number("latent.version", 0, UINT32_MAX));
  spec.latent.normalization = in.text("latent.normalization");
  spec.latent.frames = in.number("latent.frames", 1, 1 << 20);
  in.expect(
      spec.stride % a.detail == 0,
      fmt::format("metadata 'latent.stride' = {} is not a multiple of 'architecture.detail' = {}",
                  spec.stride, a.detail));
  in.expect(
      a.text_layers == 0 || a.text_width % 8 == 0,
      fmt::format("metadata 'architecture.text_width' = {} is not a multiple of 8", a.text_width));
  in.throw_if_wrong();

  out.network = std::make_shared<Network>(a, 0);
  for (const auto& [name, tensor] : out.network->parameters()) in.tensor(name, tensor);
  spec.scale = at::ones({a.channels}, at::kFloat);
  in.tensor(kScale, spec.scale);
  in.expect(spec.scale.gt(0).all().item<bool>(),
            fmt::format("tensor '{}' has values <= 0", kScale));
  in.expect_nothing_left();
  in.throw_if_wrong();
  return out;
}

void save_checkpoint(const std::filesystem::path& path, const Architecture& architecture,
                     const momap::BackboneSpec& spec, const NamedTensors& parameters,
                     const std::string& storage, const std::string& card) {
  momap::TensorFile file;
  const at::ScalarType type = storage == "f16" ? at::kHalf : at::kFloat;
  for (const auto& [name, tensor] : parameters)
    file.tensors[name] = tensor.detach().to(type).contiguous();
  file.tensors[kScale] = spec.scale;
  file.metadata = {
      {"format", kFormat},
      {"architecture.channels", std::to_string(architecture.channels)},
      {"architecture.width", std::to_string(architecture.width)},
      {"architecture.levels", std::to_string(architecture.levels)},
      {"architecture.blocks", std::to_string(architecture.blocks)},
      {"architecture.text_width", std::to_string(architecture.text_width)},
      {"architecture.detail", std::to_string(architecture.detail)},
      {"architecture.tokens", std::to_string(architecture.tokens)},
      {"architecture.text_layers", std::to_string(architecture.text_layers)},
      {"architecture.attention", std::to_string(architecture.attention)},
      {"prediction", spec.prediction == momap::Prediction::x0 ? "x0" : "v"},
      {"latent.stride", std::to_string(spec.stride)},
      {"latent.encoding", spec.latent.encoding},
      {"latent.version", std::to_string(spec.latent.version)},
      {"latent.normalization", spec.latent.normalization},
      {"latent.frames", std::to_string(spec.latent.frames)},
      {"card", card},
  };
  momap::write_safetensors(path, file);
}

}  // namespace unet
