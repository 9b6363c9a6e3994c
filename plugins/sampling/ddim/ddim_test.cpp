// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>

#include "sampler_promises.h"

namespace {

namespace promise = sampling::testing;

std::shared_ptr<momap::Sampler> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Sampler>("sampling/ddim", yaml);
}

TEST(Ddim, DrawsFromTheDistributionOfAnExactDenoiser) {
  promise::draws_from_the_distribution_of_an_exact_denoiser(make, "{samples: 8, steps: 100}");
  promise::draws_from_the_distribution_of_an_exact_denoiser(
      make, "{samples: 8, steps: 200, eta: 1}", true);
}

TEST(Ddim, SampleKDependsOnSeedAndKAlone) {
  promise::sample_k_depends_on_seed_and_k_alone(make);
  promise::sample_k_depends_on_seed_and_k_alone(make, ", guidance: 2, image_guidance: 3");
}

TEST(Ddim, GuidanceScalesTextAndImageApart) { promise::guidance_scales_text_and_image_apart(make); }

TEST(Ddim, PredictionsThatAreNotFiniteAreADataError) {
  promise::predictions_that_are_not_finite_are_a_data_error(make);
}

TEST(Ddim, StopsWhenAsked) { promise::stops_when_asked(make); }

TEST(Ddim, FreshNoiseDependsOnSeedAndKAlone) {
  promise::sample_k_depends_on_seed_and_k_alone(make, ", eta: 0.3");
}

TEST(Ddim, ACertainAnswerIsReachedInAnyNumberOfSteps) {
  promise::GaussianBackbone backbone;
  backbone.mean = -0.7;
  backbone.deviation = 0;
  for (const char* yaml : {"{steps: 1}", "{steps: 7}", "{steps: 7, eta: 0.5}"}) {
    const momap::Latent latent =
        make(yaml)->sample(backbone, promise::condition_of(5, 7), promise::context());
    EXPECT_EQ(latent.values.sizes(), at::IntArrayRef({4, 2, 3, 4}));
    EXPECT_TRUE(at::allclose(latent.values, at::full_like(latent.values, -0.7), 0, 1e-5)) << yaml;
  }
}

TEST(Ddim, ClippedLatentsStayInBounds) {
  promise::GaussianBackbone backbone;
  backbone.mean = 3;
  backbone.deviation = 0;
  const at::Tensor values =
      make("{clip: 1.5}")->sample(backbone, promise::condition_of(8, 8), promise::context()).values;
  EXPECT_TRUE(at::allclose(values, at::full_like(values, 1.5), 0, 1e-6));
}

TEST(Ddim, LatentsComeInTheUnitsOfTheEncoding) {
  promise::GaussianBackbone backbone;
  backbone.mean = 1;
  backbone.deviation = 0;
  backbone.scale = at::full({2}, 4.f);
  backbone.scale[1] = 0.5;
  const momap::Latent latent =
      make("{}")->sample(backbone, promise::condition_of(6, 8), promise::context());
  EXPECT_NEAR(latent.values.select(1, 0).mean().item<double>(), 4, 1e-4);
  EXPECT_NEAR(latent.values.select(1, 1).mean().item<double>(), 0.5, 1e-4);
  const momap::LatentSpec expected{"encoding/test", 3, "words", 5, 6, 8};
  EXPECT_EQ(latent.spec, expected);
}

TEST(Ddim, MoreStepsThanTheTableHasAreAConfigError) {
  promise::GaussianBackbone backbone;
  backbone.schedule = momap::NoiseSchedule::scaled_linear(0.001, 0.02, 10);
  EXPECT_THROW(
      make("{steps: 11}")->sample(backbone, promise::condition_of(4, 4), promise::context()),
      momap::ConfigError);
}

}  // namespace
