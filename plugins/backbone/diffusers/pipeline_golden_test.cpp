// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "folder.h"
#include "golden_files.h"
#include "solvers.h"
#include "tokenizer.h"

// Whole tiny text-to-image models: prompt to latents to image, by the samplers' own code.

namespace {

using diffusers::testing::goldens;
using diffusers::testing::relative;
using diffusers::testing::tensors;
using nlohmann::json;

sampling::StepOptions options_of(const json& config, int64_t count) {
  sampling::StepOptions options;
  options.count = count;
  options.spacing = config.at("timestep_spacing") == "leading" ? sampling::Spacing::leading
                                                               : sampling::Spacing::trailing;
  options.offset = config.at("steps_offset");
  options.ends_clean = config.contains("set_alpha_to_one")
                           ? config.at("set_alpha_to_one").get<bool>()
                           : config.at("final_sigmas_type") == "zero";
  return options;
}

class Pipeline : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

at::Tensor encode(const diffusers::Tokenizer& tokenizer, const diffusers::ClipText& clip,
                  const json& prompts, const at::Tensor& expected_ids) {
  std::vector<at::Tensor> rows;
  for (const json& prompt : prompts) {
    rows.push_back(at::tensor(tokenizer.encode(prompt.get<std::string>()), at::kLong));
  }
  const at::Tensor ids = at::stack(rows);
  EXPECT_TRUE(ids.equal(expected_ids));
  return clip.forward(ids).last;
}

TEST_P(Pipeline, EqualsTheReference) {
  SKIP_WITHOUT_GOLDENS();
  const auto folder = goldens() / GetParam().first;
  const std::string& scheduler = GetParam().second;
  const json given = diffusers::read_json(folder / "case.json");
  const auto in = tensors(folder / "inputs.safetensors");
  const auto expected = tensors(folder / ("expected_" + scheduler + "_f32.safetensors"));
  const auto precise = tensors(folder / ("expected_" + scheduler + "_f64.safetensors"));

  const diffusers::Tokenizer tokenizer(folder / "tokenizer");
  const auto clip = diffusers::load_clip_text(folder / "text_encoder").network;
  const auto unet = diffusers::load_unet(folder / "unet").network;
  const auto vae = diffusers::load_vae(folder / "vae").network;
  const auto training = diffusers::read_scheduler(folder / ("scheduler_" + scheduler));
  const json config =
      diffusers::read_json(folder / ("scheduler_" + scheduler) / "scheduler_config.json");

  const at::Tensor with = encode(tokenizer, clip, given.at("prompts"), in.at("input_ids"));
  const at::Tensor without =
      encode(tokenizer, clip, given.at("negative_prompts"), in.at("negative_input_ids"));
  EXPECT_LE(relative(with, expected.at("prompt_embeds")), 1e-5);
  EXPECT_LE(relative(without, expected.at("negative_prompt_embeds")), 1e-5);

  const auto options = options_of(config, given.at("num_inference_steps"));
  const auto steps =
      scheduler == "ddim" ? sampling::ddim_steps(training.schedule, training.prediction, options)
      : scheduler == "euler"
          ? sampling::euler_steps(training.schedule, training.prediction, options)
          : sampling::dpm_solver_steps(training.schedule, training.prediction, options);
  const at::Tensor text = at::cat({without, with});
  const double guidance = given.at("guidance_scale");
  std::vector<double> times;
  std::vector<at::Tensor> latents;  // as each step begins
  const sampling::Denoise denoise = [&](const at::Tensor& x, double time, momap::NoiseLevel level) {
    times.push_back(time);
    // The reference's Euler keeps x / alpha.
    latents.push_back(scheduler == "euler" ? x / level.alpha : x);
    const at::Tensor two = at::cat({x, x});
    const auto halves =
        unet.forward(two, unet.sinusoid(at::full({two.size(0)}, time, at::kFloat)), text).chunk(2);
    return sampling::estimate(x, halves[0] + (halves[1] - halves[0]) * guidance,
                              training.prediction, level);
  };
  const at::Tensor start = in.at("latents") * steps.start;
  const at::Tensor end = scheduler == "ddim"    ? sampling::ddim(start, steps, denoise, 0, 0, {})
                         : scheduler == "euler" ? sampling::euler(start, steps, denoise)
                                                : sampling::dpm_solver_pp_2m(start, steps, denoise);
  latents.push_back(end);
  latents.erase(latents.begin());
  const at::Tensor listed = expected.at("timesteps").to(at::kDouble);
  EXPECT_LE((at::tensor(times, at::kDouble) - listed).abs().max().item<double>(), 1e-3);
  EXPECT_LE(relative(at::stack(latents), expected.at("latents_per_step")), 1e-5);
  EXPECT_LE(relative(end, precise.at("final_latents")), 1e-5);
  const at::Tensor image = vae.decode(end / vae.config().scaling_factor);
  EXPECT_LE(relative(image, precise.at("image_raw")), 1e-5);
  EXPECT_LE(relative((image / 2 + 0.5).clamp(0, 1), expected.at("image01")), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    All, Pipeline,
    ::testing::Values(std::pair("pipeline_sd1", "ddim"), std::pair("pipeline_sd1", "dpmpp_2m"),
                      std::pair("pipeline_sd1", "euler"), std::pair("pipeline_sd2", "ddim"),
                      std::pair("pipeline_sd2", "euler")),
    [](const auto& test) { return test.param.first + "_" + test.param.second; });

}  // namespace
