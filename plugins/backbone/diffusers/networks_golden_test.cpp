// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/exp.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "folder.h"
#include "golden_files.h"

// Networks with random weights against the reference library's outputs, module by module, with
// gradients and five steps of training.

namespace {

using diffusers::NamedTensors;
using diffusers::Observer;
using diffusers::testing::goldens;
using diffusers::testing::relative;
using diffusers::testing::tensors;
using Tensors = std::map<std::string, at::Tensor>;

constexpr double kFloat = 1e-5;        // float32 against the float64 reference
constexpr double kDouble = 1e-12;      // float64, with the reference's own sinusoid
constexpr double kOwnSinusoid = 1e-6;  // float64, with a sinusoid whose last bit differs
constexpr double kGradient = 1e-4;
constexpr double kLoss = 2e-4;

std::vector<int> cases_in(const std::filesystem::path& folder) {
  std::vector<int> out;
  for (int i = 0; std::filesystem::exists(folder / fmt::format("case{}_inputs.safetensors", i));
       ++i)
    out.push_back(i);
  EXPECT_FALSE(out.empty()) << folder;
  return out;
}

Tensors inputs_of(const std::filesystem::path& folder, int number) {
  return tensors(folder / fmt::format("case{}_inputs.safetensors", number));
}
Tensors outputs_of(const std::filesystem::path& folder, int number, const char* bits) {
  return tensors(folder / fmt::format("case{}_outputs_{}.safetensors", number, bits));
}

// Compares what `run` tells its observer with case 0's intermediates.
void expect_intermediates(const std::filesystem::path& folder,
                          const std::function<void(const Observer&)>& run) {
  Tensors expected = tensors(folder / "case0_intermediates_f32.safetensors");
  run([&](const std::string& module, const at::Tensor& value) {
    const auto found = expected.find(module);
    if (found == expected.end()) return;
    EXPECT_LE(relative(value, found->second), kFloat) << module;
    expected.erase(found);
  });
  expected.erase("time_proj");
  EXPECT_TRUE(expected.empty()) << expected.begin()->first << " was not told";
}

// AdamW (Loshchilov & Hutter 2019) on all parameters, as the reference was trained.
class AdamW {
 public:
  void step(NamedTensors& parameters, const std::vector<at::Tensor>& gradients) {
    constexpr double kRate = 1e-3;
    constexpr double kDecay = 0.01;
    if (mean_.empty()) {
      for (const at::Tensor& g : gradients) {
        mean_.push_back(g * 0.0);
        square_.push_back(g * 0.0);
      }
    }
    ++steps_;
    for (size_t i = 0; i < gradients.size(); ++i) {
      const at::Tensor value = parameters[i].second.detach();
      mean_[i] = mean_[i] * 0.9 + gradients[i] * 0.1;
      square_[i] = square_[i] * 0.999 + gradients[i] * gradients[i] * 0.001;
      const at::Tensor root = (square_[i] / (1 - std::pow(0.999, steps_))).sqrt() + 1e-8;
      value.copy_(value * (1 - kRate * kDecay) -
                  mean_[i] / (1 - std::pow(0.9, steps_)) / root * kRate);
    }
  }

 private:
  std::vector<at::Tensor> mean_, square_;
  int steps_ = 0;
};

// Gradients by input and parameter, and five training steps.
void expect_training(const std::filesystem::path& folder, NamedTensors& parameters, Tensors inputs,
                     int steps, double gradient_tolerance, double loss_tolerance,
                     const std::function<at::Tensor(const Tensors&)>& run) {
  const auto json = diffusers::read_json(folder / "train.json");
  const Tensors expected = tensors(folder / "train_f64.safetensors");
  const at::ScalarType type = parameters[0].second.scalar_type();
  const at::Tensor target = tensors(folder / "train_target.safetensors").begin()->second.to(type);
  std::vector<at::Tensor> leaves;
  for (auto& [name, tensor] : parameters) leaves.push_back(tensor.set_requires_grad(true));
  std::vector<std::string> input_names;
  for (auto& [name, tensor] : inputs) {
    if (!expected.contains("grad_input." + name)) continue;
    tensor = tensor.to(type, false, true).set_requires_grad(true);
    leaves.push_back(tensor);
    input_names.push_back(name);
  }
  const auto& norms = json.contains("grad_l2_norm_f64") ? json["grad_l2_norm_f64"]
                                                        : json["grad_l2_norm_first_step_f64"];
  AdamW optimizer;
  for (int step = 0; step < steps; ++step) {
    const at::Tensor loss = (run(inputs) - target).square().mean();
    if (json.contains("losses_before_each_of_5_steps_f64")) {
      const double reference = json["losses_before_each_of_5_steps_f64"][static_cast<size_t>(step)];
      EXPECT_NEAR(loss.item<double>(), reference, loss_tolerance * reference) << "step " << step;
    }
    auto gradients = torch::autograd::grad({loss}, leaves, {}, {}, false, /*allow_unused=*/true);
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) gradients[i] = leaves[i].detach() * 0.0;
    }
    const size_t own = parameters.size();
    if (step == 0) {
      double total = 0;
      for (size_t i = 0; i < own; ++i) total += gradients[i].square().sum().item<double>();
      const double floor = 1e-6 * std::sqrt(total);  // a key's bias has no gradient but rounding
      for (size_t i = 0; i < own; ++i) {
        const auto& [name, tensor] = parameters[i];
        const double norm = norms[name];
        EXPECT_NEAR(gradients[i].norm().item<double>(), norm, gradient_tolerance * norm + floor)
            << name;
        if (const auto found = expected.find("grad." + name); found != expected.end()) {
          EXPECT_LE(relative(gradients[i], found->second), gradient_tolerance) << name;
        }
      }
      for (size_t i = own; i < gradients.size(); ++i) {
        EXPECT_LE(relative(gradients[i], expected.at("grad_input." + input_names[i - own])),
                  gradient_tolerance)
            << input_names[i - own];
      }
    }
    optimizer.step(parameters, {gradients.begin(), gradients.begin() + static_cast<long>(own)});
  }
  if (type == at::kDouble && steps == 5) {
    for (const auto& [name, tensor] : parameters) {
      const auto found = expected.find("after5." + name);
      if (found == expected.end()) continue;
      EXPECT_LE(relative(tensor, found->second), loss_tolerance) << name;
    }
  }
  for (auto& [name, tensor] : parameters) tensor.set_requires_grad(false);
}

at::Tensor times_of(const Tensors& inputs) {
  const int64_t batch = inputs.at("sample").size(0);
  return inputs.at("timestep").to(at::kFloat).reshape({-1}).expand({batch});
}

at::Tensor run_unet(const diffusers::UNet& unet, const Tensors& inputs, at::ScalarType type,
                    const at::Tensor& sinusoid, const Observer& observe = {}) {
  const auto text = inputs.find("encoder_hidden_states");
  return unet.forward(inputs.at("sample").to(type), sinusoid,
                      text == inputs.end() ? at::Tensor() : text->second.to(type), observe);
}

class UNetGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(UNetGolden, OutputsAndModulesEqualTheReference) {
  SKIP_WITHOUT_GOLDENS();
  const auto folder = goldens() / GetParam();
  const auto single = diffusers::load_unet(folder, at::kFloat).network;
  const auto twice = diffusers::load_unet(folder, at::kDouble).network;
  for (const int number : cases_in(folder)) {
    const Tensors in = inputs_of(folder, number);
    const at::Tensor expected = outputs_of(folder, number, "f64").at("sample");
    const at::Tensor stored = outputs_of(folder, number, "f32").at("time_proj");
    const at::Tensor own = single.sinusoid(times_of(in));
    EXPECT_LE(relative(own, stored), 1e-4) << number;  // exp and sin differ in the last bit
    EXPECT_LE(relative(run_unet(single, in, at::kFloat, own), expected), kFloat) << number;
    EXPECT_LE(relative(run_unet(twice, in, at::kDouble, stored), expected), kDouble) << number;
    EXPECT_LE(relative(run_unet(twice, in, at::kDouble, own), expected), kOwnSinusoid) << number;
  }
  expect_intermediates(folder, [&](const Observer& observe) {
    const Tensors in = inputs_of(folder, 0);
    run_unet(single, in, at::kFloat, single.sinusoid(times_of(in)), observe);
  });
}

TEST_P(UNetGolden, TrainsAsTheReference) {
  SKIP_WITHOUT_GOLDENS();
  const auto folder = goldens() / GetParam();
  for (const auto& [type, gradient, loss] :
       {std::tuple{at::kFloat, kGradient, kLoss}, std::tuple{at::kDouble, 1e-9, 1e-7}}) {
    auto loaded = diffusers::load_unet(folder, type);
    const at::Tensor stored = outputs_of(folder, 0, "f32").at("time_proj");
    expect_training(
        folder, loaded.parameters, inputs_of(folder, 0), 5, gradient, loss,
        [&, t = type](const Tensors& in) { return run_unet(loaded.network, in, t, stored); });
  }
}

INSTANTIATE_TEST_SUITE_P(All, UNetGolden,
                         ::testing::Values("unet_sd1_4level", "unet_sd1_2level_9in",
                                           "unet_sd2_3level", "unet2d_24ch", "unet2d_ddpm_style"),
                         [](const auto& test) { return test.param; });

class VaeGolden : public ::testing::TestWithParam<std::string> {};

at::Tensor drawn(const diffusers::Vae::Moments& m, const at::Tensor& noise) {
  return m.mean + at::exp(m.logvar * 0.5) * noise;
}

void expect_vae(const diffusers::Vae& vae, at::ScalarType type, const Tensors& in,
                const Tensors& expected, double tolerance) {
  const auto moments = vae.encode(in.at("image").to(type));
  const at::Tensor latent = drawn(moments, in.at("noise").to(type));
  EXPECT_LE(relative(moments.mean, expected.at("mean")), tolerance);
  EXPECT_LE(relative(moments.logvar, expected.at("logvar")), tolerance);
  EXPECT_LE(relative(latent, expected.at("latent")), tolerance);
  EXPECT_LE(relative(vae.decode(latent), expected.at("sample")), tolerance);
  EXPECT_LE(relative(vae.decode(in.at("latent_in").to(type)), expected.at("decoded_given_latent")),
            tolerance);
}

TEST_P(VaeGolden, OutputsAndModulesEqualTheReference) {
  SKIP_WITHOUT_GOLDENS();
  const auto folder = goldens() / GetParam();
  const auto single = diffusers::load_vae(folder, at::kFloat).network;
  const auto twice = diffusers::load_vae(folder, at::kDouble).network;
  for (const int number : cases_in(folder)) {
    const Tensors in = inputs_of(folder, number);
    const Tensors expected = outputs_of(folder, number, "f64");
    expect_vae(single, at::kFloat, in, expected, kFloat);
    expect_vae(twice, at::kDouble, in, expected, kDouble);
  }
  expect_intermediates(folder, [&](const Observer& observe) {
    const Tensors in = inputs_of(folder, 0);
    single.encode(in.at("image"), observe);
    single.decode(in.at("latent_in"), observe);
  });
}

TEST_P(VaeGolden, TrainsAsTheReference) {
  SKIP_WITHOUT_GOLDENS();
  const auto folder = goldens() / GetParam();
  for (const auto& [type, gradient, loss] :
       {std::tuple{at::kFloat, kGradient, kLoss}, std::tuple{at::kDouble, 1e-9, 1e-7}}) {
    auto loaded = diffusers::load_vae(folder, type);
    expect_training(folder, loaded.parameters, inputs_of(folder, 0), 5, gradient, loss,
                    [&](const Tensors& in) {
                      const auto& vae = loaded.network;
                      return vae.decode(drawn(vae.encode(in.at("image")), in.at("noise")));
                    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, VaeGolden, ::testing::Values("vae_3level", "vae_2level_6ch"),
                         [](const auto& test) { return test.param; });

class ClipGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(ClipGolden, OutputsAndLayersEqualTheReference) {
  SKIP_WITHOUT_GOLDENS();
  const auto folder = goldens() / GetParam();
  for (const auto& [type, tolerance] :
       {std::pair{at::kFloat, kFloat}, std::pair{at::kDouble, kDouble}}) {
    const auto clip = diffusers::load_clip_text(folder, type).network;
    for (const int number : cases_in(folder)) {
      const Tensors in = inputs_of(folder, number);
      const Tensors expected = outputs_of(folder, number, "f64");
      const auto mask = in.find("attention_mask");
      const auto out =
          clip.forward(in.at("input_ids"), mask == in.end() ? at::Tensor() : mask->second);
      EXPECT_LE(relative(out.last, expected.at("last_hidden_state")), tolerance) << number;
      EXPECT_LE(relative(out.pooled, expected.at("pooler_output")), tolerance) << number;
      EXPECT_LE(relative(out.penultimate, expected.at("penultimate_then_final_layer_norm")),
                tolerance)
          << number;
      if (number != 0) continue;
      const Tensors layers = tensors(folder / "case0_intermediates_f32.safetensors");
      EXPECT_EQ(layers.size(), out.layers.size());
      for (size_t i = 0; i < out.layers.size(); ++i) {
        EXPECT_LE(relative(out.layers[i], layers.at(fmt::format("hidden_states.{}", i))), kFloat);
      }
    }
  }
}

TEST_P(ClipGolden, GradientsEqualTheReference) {
  SKIP_WITHOUT_GOLDENS();
  const auto folder = goldens() / GetParam();
  for (const auto& [type, gradient] :
       {std::pair{at::kFloat, kGradient}, std::pair{at::kDouble, 1e-9}}) {
    auto loaded = diffusers::load_clip_text(folder, type);
    expect_training(
        folder, loaded.parameters, inputs_of(folder, 0), 1, gradient, kLoss,
        [&](const Tensors& in) { return loaded.network.forward(in.at("input_ids")).last; });
  }
}

INSTANTIATE_TEST_SUITE_P(All, ClipGolden, ::testing::Values("clip_sd1", "clip_sd2"),
                         [](const auto& test) { return test.param; });

}  // namespace
