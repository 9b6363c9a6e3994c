// SPDX-License-Identifier: Apache-2.0
#include "adapted.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/tensor_file.h>

#include <cmath>

namespace sd_unet {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "momap backbone/sd_unet 1";

at::Tensor repeating_index(int64_t count, int64_t period) {
  std::vector<int64_t> index;
  for (int64_t j = 0; j < count; ++j) index.push_back(j % period);
  return at::tensor(index, at::kLong);
}

// The spec's part of a checkpoint's metadata.
momap::BackboneSpec read_spec(diffusers::ConfigReader in, int64_t channels) {
  constexpr int64_t kMost = 1 << 20;
  momap::BackboneSpec spec;
  spec.channels = channels;
  spec.stride = in.integer("stride", std::nullopt, 1, 64);
  spec.latent.encoding = in.text("encoding", "");
  spec.latent.version = static_cast<uint32_t>(in.integer("version", std::nullopt, 0, UINT32_MAX));
  spec.latent.normalization = in.text("normalization", "");
  spec.latent.frames = in.integer("frames", std::nullopt, 1, kMost);
  std::vector<float> scale;
  if (in.is_list("scale")) {
    for (const json& value : in.values().at("scale")) {
      const float number = value.is_number() ? value.get<float>() : 0.f;
      if (number > 0 && std::isfinite(number)) scale.push_back(number);
    }
  }
  in.expect(static_cast<int64_t>(scale.size()) == channels,
            fmt::format("'scale' is not {} numbers above 0", channels));
  in.throw_if_wrong();
  spec.scale = at::tensor(scale, at::kFloat);
  return spec;
}

json described(const momap::BackboneSpec& spec) {
  std::vector<float> scale(spec.scale.data_ptr<float>(),
                           spec.scale.data_ptr<float>() + spec.scale.numel());
  return {{"stride", spec.stride},          {"encoding", spec.latent.encoding},
          {"version", spec.latent.version}, {"normalization", spec.latent.normalization},
          {"frames", spec.latent.frames},   {"scale", scale}};
}

}  // namespace

at::Tensor widened_inputs(const at::Tensor& kernels, int64_t channels) {
  const int64_t had = kernels.size(1);
  std::vector<float> copies;
  for (int64_t j = 0; j < channels; ++j) {
    const int64_t times = (channels - j % had + had - 1) / had;
    copies.push_back(static_cast<float>(times));
  }
  return at::index_select(kernels.to(at::kFloat), 1, repeating_index(channels, had)) /
         at::tensor(copies, at::kFloat).view({1, -1, 1, 1});
}

at::Tensor widened_outputs(const at::Tensor& values, int64_t channels) {
  return at::index_select(values.to(at::kFloat), 0, repeating_index(channels, values.size(0)));
}

Adapted adapt(const std::filesystem::path& unet_folder, int64_t in, int64_t out) {
  auto original = diffusers::load_unet(unet_folder);  // as it is, so that errors are about the file
  std::map<std::string, at::Tensor> tensors(original.parameters.begin(), original.parameters.end());
  at::Tensor& first = tensors.at("conv_in.weight");
  at::Tensor& last = tensors.at("conv_out.weight");
  at::Tensor& last_bias = tensors.at("conv_out.bias");
  first = widened_inputs(first, in);
  last = widened_outputs(last, out);
  last_bias = widened_outputs(last_bias, out);

  Adapted adapted{std::move(original), diffusers::read_json(unet_folder / "config.json"), {}};
  adapted.config["in_channels"] = in;
  adapted.config["out_channels"] = out;
  diffusers::Weights weights(std::move(tensors), at::kFloat);
  const auto config =
      diffusers::read_unet_config(diffusers::ConfigReader("adapted", adapted.config));
  adapted.unet.network = diffusers::UNet(config, weights);
  weights.check("adapted");
  adapted.unet.parameters = weights.taken();
  return adapted;
}

Adapted load_adapted(const std::filesystem::path& file) {
  momap::TensorFile content = momap::read_safetensors(file);
  const auto text = [&](const char* key) {
    const auto found = content.metadata.find(key);
    return found == content.metadata.end() ? std::string() : found->second;
  };
  const auto refuse = [&](const std::string& what) {
    throw momap::ConfigError(
        fmt::format("{}: {}; write one with `momap train`", momap::shown(file), what));
  };
  if (text("momap.format") != kFormat) {
    refuse(fmt::format("metadata 'momap.format' = '{}', expected '{}'",
                       momap::printable(text("momap.format")), kFormat));
  }
  const json config = json::parse(text("config"), nullptr, false);
  const json latent = json::parse(text("momap.latent"), nullptr, false);
  if (!config.is_object() || !latent.is_object()) {
    refuse("metadata 'config' or 'momap.latent' is not a JSON mapping");
  }
  const auto parsed =
      diffusers::read_unet_config(diffusers::ConfigReader(momap::shown(file), config));
  diffusers::Weights weights(std::move(content.tensors), at::kFloat);
  diffusers::UNet network(parsed, weights);
  weights.check(momap::shown(file));
  auto spec = read_spec(diffusers::ConfigReader(momap::shown(file), latent), parsed.out_channels);
  return {{std::move(network), weights.taken()}, config, std::move(spec)};
}

void save_adapted(const std::filesystem::path& file, const Adapted& adapted,
                  const diffusers::NamedTensors& parameters, const std::string& storage,
                  const std::string& card) {
  momap::TensorFile content;
  const at::ScalarType type = storage == "f16" ? at::kHalf : at::kFloat;
  for (const auto& [name, tensor] : parameters) {
    content.tensors[name] = tensor.detach().to(type).contiguous();
  }
  content.metadata = {{"format", "pt"},
                      {"momap.format", kFormat},
                      {"momap.latent", described(adapted.spec).dump()},
                      {"config", adapted.config.dump()},
                      {"card", card}};
  momap::write_safetensors(file, content);
  auto config_path = file;
  config_path.replace_extension(".config.json");
  momap::AtomicFile config(config_path);
  config.write(adapted.config.dump(2) + "\n");
  config.commit();
}

}  // namespace sd_unet
