// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full_like.h>
#include <gtest/gtest.h>
#include <momap/stage/sampler.h>
#include <tbb/global_control.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "gaussian_backbone.h"
#include "plugin_fixture.h"

// What every sampler promises, on backbones whose answers are exact. `make` gives the plugin from
// its parameters.

namespace sampling::testing {

using momap::testing::context;

/// `forgets_start`: all noise is fresh, as in ancestral sampling.
template <class Make>
void draws_from_the_distribution_of_an_exact_denoiser(const Make& make, const std::string& yaml,
                                                      bool forgets_start = false) {
  const std::pair<momap::NoiseSchedule, momap::Prediction> trained[] = {
      {momap::NoiseSchedule::cosine(), momap::Prediction::v},
      {momap::NoiseSchedule::cosine(), momap::Prediction::x0},
      {momap::NoiseSchedule::cosine(), momap::Prediction::epsilon},
      {momap::NoiseSchedule::flow(), momap::Prediction::flow},
      {momap::NoiseSchedule::scaled_linear(), momap::Prediction::epsilon},
      {momap::NoiseSchedule::scaled_linear(0.00085, 0.012, 1000, true), momap::Prediction::v},
  };
  for (const auto& [schedule, prediction] : trained) {
    GaussianBackbone backbone;
    backbone.mean = 1.5;
    backbone.deviation = 0.5;
    backbone.schedule = schedule;
    backbone.prediction = prediction;
    const momap::Latent latent = make(yaml)->sample(backbone, condition_of(32, 32), context());
    // Where the schedule's last timestep still holds signal, starting without the mean's share of
    // it leaves this much of a shift: as the deviations go, or as x_0 follows from x_T.
    const auto [alpha, sigma] =
        schedule.at(schedule.timesteps() > 0 ? static_cast<double>(schedule.timesteps() - 1) : 1.0);
    const double spread = std::hypot(alpha * 0.5, sigma);
    const double gain = forgets_start ? alpha * 0.25 / (spread * spread) : 0.5 / spread;
    const double shift = alpha * 1.5 * gain;
    // 4096 values: standard error of the mean 0.008, of the deviation 0.0055; the rest is the error
    // of the steps.
    const at::Tensor values = latent.values;
    ASSERT_EQ(values.numel(), 4096);
    EXPECT_NEAR(values.mean().item<double>(), 1.5 - shift, 0.04)
        << yaml << static_cast<int>(schedule.kind()) << static_cast<int>(prediction);
    EXPECT_NEAR(values.std().item<double>(), 0.5, 0.04)
        << yaml << static_cast<int>(schedule.kind()) << static_cast<int>(prediction);
  }
}

template <class Make>
void sample_k_depends_on_seed_and_k_alone(const Make& make, const std::string& more = "") {
  const GaussianBackbone backbone;
  const auto drawn = [&](int samples, int batch, uint64_t seed) {
    const std::string yaml =
        "{samples: " + std::to_string(samples) + ", batch: " + std::to_string(batch) + more + "}";
    return make(yaml)->sample(backbone, condition_of(9, 6, "go"), context(seed)).values;
  };
  for (const int batch : {1, 3}) {
    const at::Tensor five = drawn(5, batch, 5);
    EXPECT_TRUE(at::equal(five.slice(0, 0, 2), drawn(2, batch, 5)));
    EXPECT_FALSE(at::equal(five[0], five[1]));
    EXPECT_FALSE(at::equal(five, drawn(5, batch, 6)));
    EXPECT_TRUE(at::allclose(five, drawn(5, 2, 5), 1e-5, 1e-6));
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    EXPECT_TRUE(at::equal(five, drawn(5, batch, 5)));
  }
}

/// Text moves the answer by 2 and the image by 10 from -3; each guidance scales its own shift.
template <class Make>
void guidance_scales_text_and_image_apart(const Make& make) {
  GaussianBackbone backbone;
  backbone.mean = -3;
  backbone.deviation = 0;
  backbone.text_shift = 2;
  backbone.image_shift = 10;
  backbone.prediction = momap::Prediction::x0;
  for (const double text : {0.0, 1.0, 2.5}) {
    for (const double image : {0.0, 1.0, 2.5, 4.0}) {
      for (const int batch : {1, 3}) {
        const std::string yaml = "{samples: 2, steps: 3, guidance: " + std::to_string(text) +
                                 ", image_guidance: " + std::to_string(image) +
                                 ", batch: " + std::to_string(batch) + "}";
        const at::Tensor values =
            make(yaml)->sample(backbone, condition_of(2, 2, "go"), context()).values;
        EXPECT_TRUE(
            at::allclose(values, at::full_like(values, -3 + 2 * text + 10 * image), 1e-5, 1e-5))
            << yaml << values;
      }
    }
  }
}

template <class Make>
void predictions_that_are_not_finite_are_a_data_error(const Make& make) {
  GaussianBackbone backbone;
  backbone.mean = std::nan("");
  EXPECT_THROW(make("{}")->sample(backbone, condition_of(4, 4), context()), momap::DataError);
}

template <class Make>
void stops_when_asked(const Make& make) {
  const std::function<bool()> yes = [] { return true; };
  momap::Context asked = context();
  asked.cancelled = &yes;
  EXPECT_THROW(make("{}")->sample(GaussianBackbone(), condition_of(4, 4), asked), momap::Cancelled);
}

}  // namespace sampling::testing
