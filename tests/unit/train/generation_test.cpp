// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/stage/sampler.h>
#include <momap/train/denoising.h>
#include <momap/train/latent_scale.h>
#include <momap/train/trainer.h>

#include <cmath>

#include "plugin_fixture.h"

// The whole generative chain on a problem whose answer is known: one picture, two futures.

namespace momap {
namespace {

constexpr int64_t kSide = 8;

// A disc in the picture; it moves left or right, by 0.02 +- 0.002 in the latent's unit. The rest
// stands.
Condition scene(const std::string& text) {
  at::Tensor image = at::full({kSide, kSide, 3}, 40, at::kByte);
  image.slice(0, 2, 6).slice(1, 2, 6).fill_(220);
  const at::Tensor points = at::ones({kSide, kSide, 3});
  return {image, points, {1, 1, 0, 0, kSide, kSide}, std::nullopt, text};
}

at::Tensor future(double amount) {
  at::Tensor latent = at::zeros({2, kSide, kSide});
  latent[0].slice(0, 2, 6).slice(1, 2, 6).fill_(amount);
  return latent;
}

class TwoFutures final : public TrainingSet {
 public:
  explicit TwoFutures(const Backbone& backbone)
      : left_(backbone.prepare(scene("to the left"))),
        right_(backbone.prepare(scene("to the right"))) {}
  int64_t size() const override { return 64; }
  TrainingItem item(int64_t i) const override {
    Random random(static_cast<uint64_t>(i));
    const double amount = (i % 2 ? 0.02 : -0.02) + 0.002 * random.normal();
    return {future(amount), {}, i % 2 ? right_ : left_};
  }

 private:
  Conditioning left_;
  Conditioning right_;
};

TEST(Generation, DrawsBothFuturesAndFollowsThePrompt) {
  const TemporaryFolder folder;
  const auto backbone = std::static_pointer_cast<Backbone>(testing::make_stage(
      UNET_LIBRARY, "backbone/unet", "{width: 16, levels: 2, blocks: 1, text_width: 16, seed: 1}"));
  LatentScale scale;
  scale.add(future(0.02));
  scale.add(future(-0.02));
  backbone->begin_training({"encoding/test", 1, "", 2, 0, 0}, 1, scale.scale());
  const TwoFutures set(*backbone);
  TrainOptions options;
  options.steps = 400;
  options.batch = 16;
  options.micro_batch = 8;
  options.learning_rate = 2e-3;
  options.warmup = 20;
  options.ema = 0.99;
  options.save_every = 400;
  DenoisingOptions denoising;
  denoising.drop_text = 0.5;
  denoising.drop_image = 0;
  train(DenoisingLesson(*backbone, set, denoising), options, 5,
        {folder.path() / "net.safetensors", folder.path() / "net.state", ""});

  const auto sampler = std::static_pointer_cast<Sampler>(
      testing::make_stage(DDIM_LIBRARY, "sampling/ddim", "{samples: 64, steps: 20}"));
  const auto draw = [&](const std::string& text) {
    return sampler->sample(*backbone, scene(text), testing::context(9)).values;
  };
  const auto amounts = [](const at::Tensor& values) {
    return values.select(1, 0).slice(1, 2, 6).slice(2, 2, 6).mean({1, 2});  // [K]
  };

  const at::Tensor open = draw("");
  const at::Tensor amount = amounts(open);
  const at::Tensor right = amount.masked_select(amount > 0);
  const at::Tensor left = amount.masked_select(amount <= 0);
  EXPECT_GE(right.numel(), 16);  // of 64; fewer than 16 of a fair coin: 2e-5
  EXPECT_GE(left.numel(), 16);
  EXPECT_NEAR(right.mean().item<double>(), 0.02, 0.002);
  EXPECT_NEAR(left.mean().item<double>(), -0.02, 0.002);
  EXPECT_LT(amount.abs().std().item<double>(), 0.004);  // true: 0.002
  EXPECT_GT(amount.abs().min().item<double>(), 0.01);   // nothing between the two
  // Where nothing moved, nothing moves.
  EXPECT_LT(open.select(1, 0).slice(1, 0, 2).abs().mean().item<double>(), 0.001);
  EXPECT_LT(open.select(1, 1).abs().mean().item<double>(), 0.001);

  EXPECT_GE(amounts(draw("to the right")).gt(0).sum().item<int64_t>(), 61);
  EXPECT_LE(amounts(draw("to the left")).gt(0).sum().item<int64_t>(), 3);
}

}  // namespace
}  // namespace momap
