// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/data/tensor_file.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "shared_data.h"
#include "solvers.h"

// The reference schedulers' trajectories with a closed-form denoiser, out = 0.1 x + sin(t).

namespace {

using momap::NoiseSchedule;
using momap::Prediction;
using nlohmann::json;

std::filesystem::path goldens() { return momap::testing::shared_folder() / "goldens/schedulers"; }

// Python writes -Infinity into these files.
json read_json(const std::filesystem::path& path) {
  return json::parse(std::regex_replace(momap::read_file(path), std::regex("-Infinity"), "null"));
}

NoiseSchedule schedule_of(const json& config) {
  return NoiseSchedule::scaled_linear(config.at("beta_start"), config.at("beta_end"),
                                      config.at("num_train_timesteps"),
                                      config.at("rescale_betas_zero_snr"));
}

Prediction prediction_of(const json& config) {
  const std::string kind = config.at("prediction_type");
  return kind == "epsilon"  ? Prediction::epsilon
         : kind == "sample" ? Prediction::x0
                            : Prediction::v;
}

sampling::StepOptions options_of(const json& config, const json& given) {
  sampling::StepOptions options;
  options.count = given.at("num_inference_steps");
  const std::string spacing = config.at("timestep_spacing");
  options.spacing = spacing == "leading"    ? sampling::Spacing::leading
                    : spacing == "linspace" ? sampling::Spacing::linspace
                                            : sampling::Spacing::trailing;
  options.offset = config.at("steps_offset");
  options.karras = config.value("use_karras_sigmas", false);
  options.ends_clean = config.contains("set_alpha_to_one")
                           ? config.at("set_alpha_to_one").get<bool>()
                           : config.at("final_sigmas_type") == "zero";
  return options;
}

struct Trajectory {
  std::vector<double> times, ratios;  // ratios: sigma / alpha, one more than times
  std::vector<at::Tensor> inputs, latents, clean;
  double start = 0;
};

// Solves with this many bits, in the reference's own coordinates (Euler: x / alpha).
Trajectory run(const std::string& scheduler, const json& config, const json& given,
               const momap::TensorFile& inputs, at::ScalarType type) {
  const NoiseSchedule schedule = schedule_of(config);
  const Prediction prediction = prediction_of(config);
  const auto options = options_of(config, given);
  const bool divided = scheduler == "euler";
  const auto steps = scheduler == "ddim" ? sampling::ddim_steps(schedule, prediction, options)
                     : scheduler == "euler"
                         ? sampling::euler_steps(schedule, prediction, options)
                         : sampling::dpm_solver_steps(schedule, prediction, options);
  Trajectory t;
  for (const auto& step : steps.list) {
    t.times.push_back(step.time);
    t.ratios.push_back(step.from.sigma / step.from.alpha);
  }
  t.ratios.push_back(steps.list.back().to.sigma / steps.list.back().to.alpha);
  t.start = steps.start / (divided ? steps.list[0].from.alpha : 1.0);
  const double clip =
      config.value("clip_sample", false) ? config.at("clip_sample_range").get<double>() : 0;

  const sampling::Denoise denoise = [&](const at::Tensor& x, double time, momap::NoiseLevel level) {
    t.inputs.push_back(x);
    t.latents.push_back(divided ? x / level.alpha : x);
    auto e = sampling::estimate(x, 0.1 * x + std::sin(time), prediction, level);
    t.clean.push_back(clip > 0 ? at::clamp(e.clean, -clip, clip) : e.clean);
    return e;
  };
  int64_t drawn = 0;
  const sampling::Noise noise = [&] {
    return inputs.tensors.at("variance_noise")[drawn++].to(type);
  };
  const at::Tensor x = inputs.tensors.at("start_unit_noise").to(type) * steps.start;
  const double eta = given.at("eta").is_null() ? 0.0 : given.at("eta").get<double>();
  t.latents.push_back(scheduler == "ddim"    ? sampling::ddim(x, steps, denoise, eta, clip, noise)
                      : scheduler == "euler" ? sampling::euler(x, steps, denoise)
                                             : sampling::dpm_solver_pp_2m(x, steps, denoise));
  return t;
}

double relative(const at::Tensor& found, const at::Tensor& expected) {
  EXPECT_EQ(found.sizes(), expected.sizes());
  const at::Tensor e = expected.to(at::kDouble);
  return ((found.to(at::kDouble) - e).abs().max() / e.abs().max()).item<double>();
}

class Schedules : public ::testing::TestWithParam<std::string> {};

TEST_P(Schedules, EqualTheReferenceTrajectory) {
  const auto folder = goldens() / GetParam();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const json config = read_json(folder / "scheduler_config.json");
  const json given = read_json(folder / "case.json");
  const auto inputs = momap::read_safetensors(folder / "inputs.safetensors");
  const auto expected = momap::read_safetensors(folder / "expected_f64.safetensors").tensors;
  const std::string scheduler = given.at("scheduler");

  for (const auto& [type, tolerance] :
       {std::pair{at::kFloat, 5e-6}, std::pair{at::kDouble, 1e-9}}) {
    const Trajectory t = run(scheduler, config, given, inputs, type);
    const at::Tensor times = at::tensor(t.times, at::kDouble);
    // Euler's timesteps are fractional and float32 in the reference.
    EXPECT_LE((times - expected.at("timesteps").to(at::kDouble)).abs().max().item<double>(),
              scheduler == "euler" ? 1e-3 : 0)
        << times << expected.at("timesteps");
    EXPECT_NEAR(t.start, expected.at("init_noise_sigma").item<double>(), 1e-9 * t.start);
    if (expected.contains("sigmas")) {
      EXPECT_LE(relative(at::tensor(t.ratios, at::kDouble), expected.at("sigmas")), 1e-9);
    }
    EXPECT_LE(relative(at::stack(t.latents), expected.at("latents")), tolerance);
    EXPECT_LE(relative(at::stack(t.inputs), expected.at("model_input")), tolerance);
    if (expected.contains("pred_original")) {
      EXPECT_LE(relative(at::stack(t.clean), expected.at("pred_original")), tolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Golden, Schedules,
    ::testing::Values("ddim_eps_leading_20", "ddim_eps_leading_eta1_20", "ddim_eps_linspace_20",
                      "ddim_eps_trailing_20", "ddim_sample_leading_clip_20", "ddim_v_leading_20",
                      "ddim_v_trailing_20", "ddim_v_trailing_zerosnr_20", "dpmpp_2m_eps_leading_20",
                      "dpmpp_2m_eps_leading_sigmamin_20", "dpmpp_2m_eps_linspace_20",
                      "dpmpp_2m_eps_trailing_20", "dpmpp_2m_eps_trailing_8",
                      "dpmpp_2m_karras_eps_leading_20", "dpmpp_2m_v_leading_20",
                      "dpmpp_2m_v_trailing_20", "euler_eps_leading_20", "euler_eps_linspace_20",
                      "euler_eps_trailing_20", "euler_karras_eps_leading_20", "euler_v_leading_20",
                      "euler_v_trailing_20"),
    [](const auto& test) { return test.param; });

TEST(Schedules, NoListedCaseIsLeftOut) {
  if (!std::filesystem::exists(goldens())) GTEST_SKIP() << goldens() << " is absent";
  const auto count = std::count_if(
      std::filesystem::directory_iterator(goldens()), std::filesystem::directory_iterator{},
      [](const auto& entry) { return std::filesystem::exists(entry.path() / "case.json"); });
  EXPECT_EQ(count, 22);
}

TEST(Schedules, AddNoiseAsTheReference) {
  const auto folder = goldens() / "add_noise_sd";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const NoiseSchedule schedule = schedule_of(read_json(folder / "scheduler_config.json"));
  const auto in = momap::read_safetensors(folder / "inputs.safetensors").tensors;
  const auto expected = momap::read_safetensors(folder / "expected_f64.safetensors").tensors;
  for (const auto& [type, tolerance] :
       {std::pair{at::kFloat, 5e-6}, std::pair{at::kDouble, 1e-12}}) {
    std::vector<at::Tensor> noisy, velocity;
    for (int64_t i = 0; i < in.at("timesteps").size(0); ++i) {
      const auto [alpha, sigma] =
          schedule.at(static_cast<double>(in.at("timesteps")[i].item<int64_t>()));
      const at::Tensor clean = in.at("x0")[i].to(type);
      const at::Tensor noise = in.at("noise")[i].to(type);
      noisy.push_back(alpha * clean + sigma * noise);
      velocity.push_back(alpha * noise - sigma * clean);
    }
    EXPECT_LE(relative(at::stack(noisy), expected.at("noisy")), tolerance);
    EXPECT_LE(relative(at::stack(velocity), expected.at("velocity")), tolerance);
  }
  EXPECT_LE(
      relative(at::tensor(schedule.signal_power(), at::kDouble), expected.at("alphas_cumprod")),
      1e-12);
}

}  // namespace
