// SPDX-License-Identifier: Apache-2.0
#include "checkpoint.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/text.h>
#include <momap/data/tensor_file.h>
#include <network/checkpoint_reader.h>

#include <array>
#include <stdexcept>

namespace denoiser {
namespace {

constexpr const char* kScale = "latent.scale";
constexpr const char* kChannels = "channels";

using momap::Prediction;
constexpr std::array<std::pair<Prediction, const char*>, 4> kPredictions{
    {{Prediction::epsilon, "epsilon"},
     {Prediction::v, "v"},
     {Prediction::x0, "x0"},
     {Prediction::flow, "flow"}}};

std::string format_of(const Kind& kind) { return fmt::format("momap {} 1", kind.id); }
std::string key_of(const std::string& number) { return "architecture." + number; }

Shape read_shape(momap::network::CheckpointReader& in, const Kind& kind) {
  Shape shape{{kChannels, in.number(key_of(kChannels), 1, 4096)}};
  for (const ShapeNumber& number : kind.numbers) {
    const std::string key = key_of(number.name);
    const int64_t value = number.before
                              ? in.number_or(key, *number.before, number.lowest, number.highest)
                              : in.number(key, number.lowest, number.highest);
    const std::string fault = fault_of(number, value);
    in.expect(fault.empty(), fmt::format("metadata '{}' = {}: {}", key, value, fault));
    shape[number.name] = value;
  }
  in.throw_if_wrong();
  const std::string fault = fault_of(shape);
  in.expect(fault.empty(), "metadata 'architecture': " + fault);
  return shape;
}

}  // namespace

const char* name_of(Prediction prediction) {
  for (const auto& [value, name] : kPredictions) {
    if (value == prediction) return name;
  }
  throw std::logic_error("a kind of prediction without a name");
}

Prediction prediction_named(const std::string& name) {
  for (const auto& [value, known] : kPredictions) {
    if (name == known) return value;
  }
  throw momap::ConfigError(fmt::format(
      "'{}' is no kind of prediction; allowed: epsilon, v, x0, flow", momap::printable(name)));
}

Trained load_checkpoint(const std::filesystem::path& path, const Kind& kind) {
  momap::network::CheckpointReader in(path, kind.id);
  const std::string format = in.text("format");
  in.expect(format == format_of(kind), fmt::format("metadata 'format' = '{}', expected '{}'",
                                                   momap::printable(format), format_of(kind)));
  in.throw_if_wrong();

  Trained out;
  out.shape = read_shape(in, kind);
  momap::BackboneSpec& spec = out.spec;
  try {
    spec.prediction = prediction_named(in.text("prediction"));
  } catch (const momap::ConfigError& error) {
    in.expect(false, fmt::format("metadata 'prediction': {}", error.what()));
  }
  spec.channels = out.shape.at(kChannels);
  spec.stride = in.number("latent.stride", 1, 64);
  spec.latent.encoding = in.text("latent.encoding");
  spec.latent.version = static_cast<uint32_t>(in.number("latent.version", 0, UINT32_MAX));
  spec.latent.normalization = in.text("latent.normalization");
  spec.latent.frames = in.number("latent.frames", 1, 1 << 20);
  in.throw_if_wrong();
  in.expect(
      spec.stride % out.shape.at("detail") == 0,
      fmt::format("metadata 'latent.stride' = {} is not a multiple of 'architecture.detail' = {}",
                  spec.stride, out.shape.at("detail")));
  in.throw_if_wrong();

  out.network = kind.make(out.shape, 0);
  for (const auto& [name, tensor] : out.network->parameters()) in.tensor(name, tensor);
  spec.scale = at::ones({spec.channels}, at::kFloat);
  in.tensor(kScale, spec.scale);
  in.expect(spec.scale.gt(0).all().item<bool>(),
            fmt::format("tensor '{}' has values <= 0", kScale));
  in.expect_nothing_left();
  in.throw_if_wrong();
  return out;
}

void save_checkpoint(const std::filesystem::path& path, const Kind& kind, const Trained& trained,
                     const NamedTensors& parameters, const std::string& storage,
                     const std::string& card) {
  const momap::BackboneSpec& spec = trained.spec;
  momap::TensorFile file;
  const at::ScalarType type = storage == "f16" ? at::kHalf : at::kFloat;
  for (const auto& [name, tensor] : parameters)
    file.tensors[name] = tensor.detach().to(type).contiguous();
  file.tensors[kScale] = spec.scale;
  file.metadata = {
      {"format", format_of(kind)},
      {"prediction", name_of(spec.prediction)},
      {"latent.stride", std::to_string(spec.stride)},
      {"latent.encoding", spec.latent.encoding},
      {"latent.version", std::to_string(spec.latent.version)},
      {"latent.normalization", spec.latent.normalization},
      {"latent.frames", std::to_string(spec.latent.frames)},
      {"card", card},
  };
  for (const auto& [name, value] : trained.shape)
    file.metadata[key_of(name)] = std::to_string(value);
  momap::write_safetensors(path, file);
}

}  // namespace denoiser
