// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/stage/noise_schedule.h>
#include <momap/stage/sampler.h>
#include <tbb/global_control.h>

#include <cmath>

#include "plugin_fixture.h"

namespace {

using momap::Condition;
using momap::Latent;
using momap::Prediction;
using momap::testing::context;

std::shared_ptr<momap::Sampler> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Sampler>("sampling/ddim", yaml);
}

Condition condition_of(int64_t height, int64_t width, const std::string& text = "") {
  return {at::zeros({height, width, 3}, at::kByte),
          at::ones({height, width, 3}),
          {},
          std::nullopt,
          text};
}

// The exact denoiser of normally distributed latents: every value has this mean and deviation. With
// text the mean is another one.
class Gaussian final : public momap::Backbone {
 public:
  Gaussian(double mean, double deviation, Prediction prediction = Prediction::v,
           double text_mean = 0)
      : mean_(mean), deviation_(deviation), prediction_(prediction), text_mean_(text_mean) {}

  momap::BackboneSpec spec() const override {
    return {prediction_, 2, {"encoding/test", 3, "words", 5, 0, 0}, 2, scale};
  }
  momap::Conditioning prepare(const Condition& condition) const override {
    const int64_t h = (condition.image.size(0) + 1) / 2;
    const int64_t w = (condition.image.size(1) + 1) / 2;
    return {at::zeros({1, 1, h, w}), at::full({1, 1}, condition.text.empty() ? 0 : 1, at::kLong)};
  }
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor& noise_level,
                     const momap::Conditioning& conditioning) const override {
    std::vector<at::Tensor> rows;
    for (int64_t b = 0; b < noisy.size(0); ++b) {
      const auto [alpha, sigma] = momap::cosine_schedule(noise_level[b].item<double>());
      const double mean = conditioning.tokens[b][0].item<int64_t>() ? text_mean_ : mean_;
      const double variance = deviation_ * deviation_;
      const double gain = alpha * variance / (alpha * alpha * variance + sigma * sigma);
      const at::Tensor x = noisy[b].to(at::kDouble);
      const at::Tensor clean = mean + gain * (x - alpha * mean);
      const at::Tensor noise = (x - alpha * clean) / sigma;
      const at::Tensor answer = prediction_ == Prediction::x0 ? clean
                                : prediction_ == Prediction::epsilon
                                    ? noise
                                    : alpha * noise - sigma * clean;
      rows.push_back(answer.to(at::kFloat));
    }
    return at::stack(rows);
  }

  at::Tensor scale = at::ones({2});

 private:
  double mean_;
  double deviation_;
  Prediction prediction_;
  double text_mean_;
};

TEST(Ddim, DrawsFromTheDistributionOfAnExactDenoiser) {
  for (const Prediction prediction : {Prediction::v, Prediction::x0, Prediction::epsilon}) {
    for (const char* yaml : {"{samples: 8, steps: 100}", "{samples: 8, steps: 200, eta: 1}"}) {
      const Gaussian backbone(1.5, 0.5, prediction);
      const Latent latent = make(yaml)->sample(backbone, condition_of(32, 32), context());
      // 4096 values: standard error of the mean 0.008, of the deviation 0.0055; the rest is the
      // error of the steps.
      EXPECT_NEAR(latent.values.mean().item<double>(), 1.5, 0.04)
          << yaml << static_cast<int>(prediction);
      EXPECT_NEAR(latent.values.std().item<double>(), 0.5, 0.04)
          << yaml << static_cast<int>(prediction);
    }
  }
}

TEST(Ddim, ACertainAnswerIsReachedInAnyNumberOfSteps) {
  const Gaussian backbone(-0.7, 0);
  for (const char* yaml : {"{steps: 1}", "{steps: 7}", "{steps: 7, eta: 0.5}"}) {
    const Latent latent = make(yaml)->sample(backbone, condition_of(5, 7), context());
    EXPECT_EQ(latent.values.sizes(), at::IntArrayRef({4, 2, 3, 4}));
    EXPECT_TRUE(at::allclose(latent.values, at::full_like(latent.values, -0.7), 0, 1e-5)) << yaml;
  }
}

TEST(Ddim, SampleKDependsOnSeedAndKAlone) {
  const Gaussian backbone(0, 1);
  const auto draw = [&](const char* yaml, uint64_t seed) {
    return make(yaml)->sample(backbone, condition_of(9, 6), context(seed)).values;
  };
  const at::Tensor four = draw("{samples: 4, eta: 0.3}", 5);
  EXPECT_TRUE(at::equal(four.slice(0, 0, 2), draw("{samples: 2, eta: 0.3}", 5)));
  EXPECT_FALSE(at::equal(four[0], four[1]));
  EXPECT_FALSE(at::equal(four, draw("{samples: 4, eta: 0.3}", 6)));
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  EXPECT_TRUE(at::equal(four, draw("{samples: 4, eta: 0.3}", 5)));
}

TEST(Ddim, GuidanceGoesFromWithoutTextThroughWithText) {
  const Gaussian backbone(1, 0, Prediction::x0, 3);
  const auto drawn = [&](const char* yaml) {
    return make(yaml)
        ->sample(backbone, condition_of(2, 2, "go"), context())
        .values.mean()
        .item<double>();
  };
  EXPECT_NEAR(drawn("{guidance: 1}"), 3, 1e-5);
  EXPECT_NEAR(drawn("{guidance: 2}"), 1 + 2 * (3 - 1), 1e-5);
  EXPECT_NEAR(drawn("{guidance: 0}"), 1, 1e-5);
}

TEST(Ddim, LatentsComeInTheUnitsOfTheEncoding) {
  Gaussian backbone(1, 0);
  backbone.scale = at::full({2}, 4.f);
  backbone.scale[1] = 0.5;
  const Latent latent = make("{}")->sample(backbone, condition_of(6, 8), context());
  EXPECT_NEAR(latent.values.select(1, 0).mean().item<double>(), 4, 1e-4);
  EXPECT_NEAR(latent.values.select(1, 1).mean().item<double>(), 0.5, 1e-4);
  const momap::LatentSpec expected{"encoding/test", 3, "words", 5, 6, 8};
  EXPECT_EQ(latent.spec, expected);
}

TEST(Ddim, PredictionsThatAreNotFiniteAreADataError) {
  const Gaussian backbone(std::nan(""), 1);
  EXPECT_THROW(make("{}")->sample(backbone, condition_of(4, 4), context()), momap::DataError);
}

TEST(Ddim, StopsWhenAsked) {
  const Gaussian backbone(0, 1);
  const std::function<bool()> yes = [] { return true; };
  momap::Context asked = context();
  asked.cancelled = &yes;
  EXPECT_THROW(make("{}")->sample(backbone, condition_of(4, 4), asked), momap::Cancelled);
}

}  // namespace
