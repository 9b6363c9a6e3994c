// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/train/denoising.h>

namespace momap {
namespace {

constexpr int64_t kSide = 2;

/// Says that the clean latent is one number everywhere.
class Constant final : public Backbone {
 public:
  BackboneSpec spec() const override {
    BackboneSpec spec;
    spec.prediction = Prediction::x0;
    spec.channels = 3;
    spec.latent = {"encoding/test", 1, "", 2, 0, 0};
    spec.scale = at::full({3}, 2.0f);
    return spec;
  }
  Conditioning prepare(const Condition&) const override { return {}; }
  at::Tensor predict(const at::Tensor& noisy, const at::Tensor&,
                     const Conditioning&) const override {
    return at::zeros_like(noisy) + value;
  }
  at::Tensor value = at::zeros({});
};

/// Displacement 0 at frame 0 and the latent's values at frame 1; its "network" tells signs apart.
class Plain final : public Encoding {
 public:
  Latent encode(const MoMap&, const Context&) override { return {}; }
  MoMap decode(const Latent&, const Condition&, const Context&) override { return {}; }
  at::Tensor motion(const at::Tensor& values, const LatentSpec& spec) const override {
    EXPECT_EQ(spec.frames, 2);
    return at::stack({at::zeros_like(values), values}, 1);
  }
  std::vector<at::Tensor> features(const at::Tensor& motion) const override {
    return {motion.select(1, 1)};
  }
};

class OneLatent final : public TrainingSet {
 public:
  int64_t size() const override { return 1; }
  TrainingItem item(int64_t) const override {
    const at::Tensor none = at::zeros({1, 1, kSide, kSide});
    at::Tensor valid = at::ones({kSide, kSide});
    valid[0][0] = 0;
    return {at::full({3, kSide, kSide}, 0.04f), valid, {none, at::zeros({1, 1}, at::kLong)}};
  }
};

double loss_of(const DenoisingOptions& options, double value, double noise_level) {
  Constant backbone;
  backbone.value.fill_(value);
  const OneLatent set;
  const Plain encoding;
  DenoisingOptions without = options;
  without.decoded_l1 = without.perceptual = 0;
  const std::vector<Slot> slots{{0, 7, noise_level}};
  const auto of = [&](const DenoisingOptions& o) {
    return DenoisingLesson(backbone, set, o, {&encoding, &encoding}).loss(slots, {}).item<double>();
  };
  return of(options) - of(without);
}

double signal(double noise_level) {
  const NoiseSchedule schedule{};
  const double alpha = schedule.at(schedule.training_time(noise_level)).alpha;
  return alpha * alpha;
}

TEST(DecodedLosses, L1IsInPercentOfTheFrustumOverValidCells) {
  DenoisingOptions options;
  options.decoded_l1 = 0.5;
  // Decoded: 2 * 0.01 for 0.04 at frame 1, nothing at frame 0: 0.02 / 2 on average.
  for (const double level : {0.0, 0.3, 0.9}) {
    EXPECT_NEAR(loss_of(options, 0.01, level), 0.5 * 100 * 0.01 * signal(level), 1e-5) << level;
  }
  EXPECT_NEAR(loss_of(options, 0.02, 0.3), 0, 1e-6);
}

TEST(DecodedLosses, PerceptualDistanceIsThatOfUnitFeatures) {
  DenoisingOptions options;
  options.perceptual = 3;
  EXPECT_NEAR(loss_of(options, 5, 0.2), 0, 1e-5);                     // the same direction
  EXPECT_NEAR(loss_of(options, -5, 0.2), 3 * 4 * signal(0.2), 1e-4);  // the opposite one
}

TEST(DecodedLosses, HaveGradients) {
  Constant backbone;
  backbone.value.fill_(0.01).set_requires_grad(true);
  const OneLatent set;
  const Plain encoding;
  DenoisingOptions options;
  options.decoded_l1 = options.perceptual = 1;
  const at::Tensor loss =
      DenoisingLesson(backbone, set, options, {&encoding, &encoding}).loss({{0, 7, 0.2}}, {});
  loss.backward();
  EXPECT_LT(backbone.value.grad().item<double>(), 0);  // more would be better
}

TEST(DecodedLosses, AnEncodingWithoutGradientsSaysSo) {
  class Opaque final : public Encoding {
    Latent encode(const MoMap&, const Context&) override { return {}; }
    MoMap decode(const Latent&, const Condition&, const Context&) override { return {}; }
  };
  const Opaque opaque;
  EXPECT_TRUE(opaque.features({}).empty());
  EXPECT_THROW(opaque.motion({}, {}), ConfigError);
  Opaque learner;
  EXPECT_THROW(learner.begin_training(), ConfigError);
}

}  // namespace
}  // namespace momap
