// SPDX-License-Identifier: Apache-2.0
#include "sampler_promises.h"

namespace {

namespace promise = sampling::testing;

std::shared_ptr<momap::Sampler> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Sampler>("sampling/heun", yaml);
}

TEST(Heun, DrawsFromTheDistributionOfAnExactDenoiser) {
  promise::draws_from_the_distribution_of_an_exact_denoiser(make, "{samples: 8, steps: 30}");
  promise::draws_from_the_distribution_of_an_exact_denoiser(
      make, "{samples: 8, steps: 20, karras: true}");
}

TEST(Heun, SampleKDependsOnSeedAndKAlone) {
  promise::sample_k_depends_on_seed_and_k_alone(make);
  promise::sample_k_depends_on_seed_and_k_alone(make, ", guidance: 2, image_guidance: 3");
}

TEST(Heun, GuidanceScalesTextAndImageApart) { promise::guidance_scales_text_and_image_apart(make); }

TEST(Heun, PredictionsThatAreNotFiniteAreADataError) {
  promise::predictions_that_are_not_finite_are_a_data_error(make);
}

TEST(Heun, StopsWhenAsked) { promise::stops_when_asked(make); }

}  // namespace
