// SPDX-License-Identifier: Apache-2.0
#include "folder.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/tensor_file.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

namespace diffusers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::map<std::string, at::Tensor> read_shards(const fs::path& index) {
  const json content = read_json(index);
  const auto refuse = [&](const std::string& what) {
    throw momap::ConfigError(fmt::format("{}: {}", momap::shown(index), what));
  };
  if (!content.is_object() || !content.contains("weight_map") ||
      !content["weight_map"].is_object()) {
    refuse("has no mapping 'weight_map' of tensors to files");
  }
  std::map<std::string, std::set<std::string>> names_by_file;
  for (const auto& [name, file] : content["weight_map"].items()) {
    const std::string text = file.is_string() ? file.get<std::string>() : "";
    if (text.empty() || text == "." || text == ".." || text.find('/') != std::string::npos) {
      refuse(fmt::format("tensor '{}' is said to be in '{}', which is not a file's name beside it",
                         momap::printable(name), momap::printable(text)));
    }
    names_by_file[text].insert(name);
  }
  std::map<std::string, at::Tensor> out;
  std::vector<std::string> wrong;
  for (const auto& [file, names] : names_by_file) {
    for (auto& [name, tensor] : momap::read_safetensors(index.parent_path() / file).tensors) {
      if (!names.contains(name)) {
        wrong.push_back(fmt::format("'{}' holds tensor '{}', which the index does not list there",
                                    file, momap::printable(name)));
      }
      out.emplace(name, tensor);
    }
    for (const std::string& name : names) {
      if (!out.contains(name)) {
        wrong.push_back(fmt::format("'{}' does not hold tensor '{}', which the index lists there",
                                    file, momap::printable(name)));
      }
    }
  }
  if (!wrong.empty()) refuse(fmt::format("\n  {}", momap::join(wrong, "\n  ")));
  return out;
}

template <class Network, class Config>
Loaded<Network> load(const fs::path& folder, const char* stem, Config (*read)(ConfigReader),
                     at::ScalarType type) {
  const Config config = read(ConfigReader(folder / "config.json"));
  Weights weights(read_tensors(folder, stem), type);
  Network network(config, weights);
  weights.check(momap::shown(folder));
  return {std::move(network), weights.taken()};
}

}  // namespace

std::map<std::string, at::Tensor> read_tensors(const fs::path& folder, const std::string& stem) {
  for (const char* ending : {".safetensors", ".fp16.safetensors"}) {
    if (const fs::path file = folder / (stem + ending); fs::exists(file)) {
      return momap::read_safetensors(file).tensors;
    }
  }
  for (const char* ending : {".safetensors.index.json", ".safetensors.index.fp16.json"}) {
    if (const fs::path file = folder / (stem + ending); fs::exists(file)) return read_shards(file);
  }
  throw momap::ConfigError(
      fmt::format("{}: has no {}.safetensors, {}.fp16.safetensors or {}.safetensors.index.json; "
                  "weights of other formats (.bin, .ckpt) must be saved as safetensors first",
                  momap::shown(folder), stem, stem, stem));
}

Loaded<UNet> load_unet(const fs::path& folder, at::ScalarType type) {
  return load<UNet>(folder, "diffusion_pytorch_model", read_unet_config, type);
}

Loaded<Vae> load_vae(const fs::path& folder, at::ScalarType type) {
  return load<Vae>(folder, "diffusion_pytorch_model", read_vae_config, type);
}

Loaded<ClipText> load_clip_text(const fs::path& folder, at::ScalarType type) {
  return load<ClipText>(folder, "model", read_clip_text_config, type);
}

Training read_scheduler(const fs::path& folder) {
  constexpr int64_t kMostTimesteps = 1'000'000;
  ConfigReader config(folder / "scheduler_config.json");
  config.only("trained_betas", nullptr);
  const std::string kind = config.text("prediction_type", "epsilon");
  config.expect(kind == "epsilon" || kind == "v_prediction" || kind == "sample",
                fmt::format("'prediction_type' = '{}'; expected epsilon, v_prediction or sample",
                            momap::printable(kind)));
  const std::string betas = config.text("beta_schedule", "linear");
  config.expect(betas == "scaled_linear" || betas == "linear" || betas == "squaredcos_cap_v2",
                fmt::format("'beta_schedule' = '{}'; expected scaled_linear, linear or "
                            "squaredcos_cap_v2",
                            momap::printable(betas)));
  const int64_t count = config.integer("num_train_timesteps", 1000, 2, kMostTimesteps);
  const double first = config.real("beta_start", 0.0001, 1e-12, 0.999);
  const double last = config.real("beta_end", 0.02, first, 0.999);
  const bool zero_terminal = config.flag("rescale_betas_zero_snr", false);
  config.throw_if_wrong();

  Training out;
  out.prediction = kind == "epsilon"  ? momap::Prediction::epsilon
                   : kind == "sample" ? momap::Prediction::x0
                                      : momap::Prediction::v;
  if (betas == "scaled_linear") {
    out.schedule = momap::NoiseSchedule::scaled_linear(first, last, count, zero_terminal);
    return out;
  }
  std::vector<double> list;
  // Nichol & Dhariwal (2021), with their offset and cap.
  const auto power = [&](double t) {
    const double cosine = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
    return cosine * cosine;
  };
  for (int64_t i = 0; i < count; ++i) {
    const auto n = static_cast<double>(count);
    const auto step = static_cast<double>(i);
    list.push_back(betas == "linear"
                       ? first + (last - first) * step / (n - 1)
                       : std::min(1 - power((step + 1) / n) / power(step / n), 0.999));
  }
  out.schedule = momap::NoiseSchedule::from_betas(list, zero_terminal);
  return out;
}

}  // namespace diffusers
