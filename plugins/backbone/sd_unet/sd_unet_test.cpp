// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/stage/backbone.h>
#include <momap/train/denoising.h>
#include <momap/train/trainer.h>

#include <fstream>

#include "plugin_fixture.h"
#include "small_model.h"

namespace {

using diffusers::testing::normal;
using momap::Condition;
using momap::Conditioning;
namespace fs = std::filesystem;

const momap::LatentSpec kLatent{"encoding/dct", 1, "words", 24, 0, 0};
constexpr int64_t kSpatial = 8 + 4;  // geometry, and the image's latent

class SdUNet : public ::testing::Test {
 protected:
  void SetUp() override { diffusers::testing::write_small_model(folder.path()); }

  std::shared_ptr<momap::Backbone> make(const std::string& more = "") {
    return momap::testing::make_plugin<momap::Backbone>(
        "backbone/sd_unet", "{model: " + folder.path().string() + more + "}");
  }
  std::shared_ptr<momap::Backbone> begun() {
    auto backbone = make();
    backbone->begin_training(kLatent, 4, at::full({6}, 0.5f));
    return backbone;
  }
  static Condition condition(const std::string& text = "a ball rolls", int64_t height = 21,
                             int64_t width = 30) {
    const at::Tensor image = (normal({height, width, 3}, 5) * 60 + 128).clamp(0, 255).to(at::kByte);
    return {image, at::ones({height, width, 3}), {}, std::nullopt, text};
  }
  std::string error_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const momap::ConfigError& error) {
      return error.what();
    }
    return "";
  }

  momap::TemporaryFolder folder;
};

TEST_F(SdUNet, FollowsTheScheduleItsGeneratorWasTrainedOn) {
  const momap::BackboneSpec spec = begun()->spec();
  EXPECT_EQ(spec.prediction, momap::Prediction::v);
  EXPECT_EQ(spec.schedule.timesteps(), 1000);
  EXPECT_NEAR(spec.schedule.signal_power()[0], 1 - 0.00085, 1e-12);
  EXPECT_EQ(spec.channels, 6);
  EXPECT_EQ(spec.stride, 4);
}

TEST_F(SdUNet, EveryPartOfTheConditionHasAnEffect) {
  const auto backbone = begun();
  const Conditioning given = backbone->prepare(condition());
  ASSERT_EQ(given.spatial.sizes(), at::IntArrayRef({1, kSpatial, 6, 8}));
  const at::Tensor x = normal({1, 6, 6, 8}, 2);
  const auto answer = [&](const Conditioning& c, float time) {
    return backbone->predict(x, at::full({1}, time), c);
  };
  const at::Tensor base = answer(given, 300);
  EXPECT_EQ(base.sizes(), x.sizes());
  const auto differs = [&](const at::Tensor& other) {
    return (other - base).abs().max().item<double>() > 1e-5;
  };
  EXPECT_TRUE(differs(answer(given, 301)));
  EXPECT_TRUE(differs(answer(backbone->prepare(condition("a ball flies")), 300)));
  for (int64_t c : {0, 3, 8, 11}) {
    Conditioning changed = given;
    changed.spatial = given.spatial.clone();
    changed.spatial.select(1, c).add_(1);
    EXPECT_TRUE(differs(answer(changed, 300))) << c;
  }
}

TEST_F(SdUNet, WithoutTextItReadsTheEmptyPrompt) {
  const auto backbone = begun();
  const at::Tensor x = normal({1, 6, 6, 8}, 2);
  const Conditioning given = backbone->prepare(condition());
  const Conditioning empty = backbone->prepare(condition(""));
  const Conditioning dropped{given.spatial, at::zeros_like(given.tokens),
                             at::zeros_like(given.text)};
  const at::Tensor time = at::full({1}, 10.f);
  EXPECT_TRUE(backbone->predict(x, time, dropped).equal(backbone->predict(x, time, empty)));
}

TEST_F(SdUNet, RowsOfABatchDoNotMix) {
  const auto backbone = begun();
  const Conditioning a = backbone->prepare(condition("one"));
  const Conditioning b = backbone->prepare(condition(""));
  const at::Tensor x = normal({2, 6, 6, 8}, 2);
  const at::Tensor both = backbone->predict(
      x, at::cat({at::full({1}, 3.f), at::full({1}, 700.f)}),
      {at::cat({a.spatial, b.spatial}), at::cat({a.tokens, b.tokens}), at::cat({a.text, b.text})});
  EXPECT_TRUE(both.narrow(0, 0, 1).allclose(
      backbone->predict(x.narrow(0, 0, 1), at::full({1}, 3.f), a), 1e-4, 1e-5));
  EXPECT_TRUE(both.narrow(0, 1, 1).allclose(
      backbone->predict(x.narrow(0, 1, 1), at::full({1}, 700.f), b), 1e-4, 1e-5));
}

TEST_F(SdUNet, AGeneratorWithoutAutoencoderShowsTheGeometryAlone) {
  fs::remove_all(folder.path() / "vae");
  const auto backbone = begun();
  EXPECT_EQ(backbone->prepare(condition()).spatial.size(1), 8);
}

TEST_F(SdUNet, AnyPictureAndAnyPromptGiveFiniteAnswers) {
  const auto backbone = begun();
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>{1, 1}, {3, 50}, {4, 4}}) {
    for (const std::string& text :
         {std::string(10000, 'x'),
          std::string("\u4e2d\u6587 \u0645\u0631\u062d\u0628\u0627 \xff")}) {
      const Conditioning given = backbone->prepare(condition(text, h, w));
      const at::Tensor x = normal({1, 6, given.spatial.size(2), given.spatial.size(3)}, 2);
      EXPECT_TRUE(backbone->predict(x, at::full({1}, 5.f), given).isfinite().all().item<bool>());
    }
  }
}

// Ten examples of one latent: the loss must fall well below where it started.
class OneLatent final : public momap::TrainingSet {
 public:
  explicit OneLatent(const momap::Backbone& backbone, Condition condition)
      : backbone_(backbone), condition_(std::move(condition)) {}
  int64_t size() const override { return 10; }
  momap::TrainingItem item(int64_t) const override {
    return {normal({6, 6, 8}, 77) * 0.5, {}, backbone_.prepare(condition_)};
  }

 private:
  const momap::Backbone& backbone_;
  Condition condition_;
};

TEST_F(SdUNet, LearnsAndComesBackFromItsCheckpoint) {
  const auto backbone = begun();
  const OneLatent set(*backbone, condition());
  momap::TrainOptions options;
  options.steps = 60;
  options.learning_rate = 1e-2;
  options.batch = 4;
  options.warmup = 5;
  options.ema = 0.5;
  options.report_every = 10;
  const fs::path file = folder.path() / "out/model.safetensors";
  fs::create_directories(file.parent_path());
  std::vector<double> losses;
  momap::TrainCallbacks callbacks;
  callbacks.progress = [&](const momap::TrainProgress& p) { losses.push_back(p.loss); };
  momap::train(momap::DenoisingLesson(*backbone, set, {}), options, 1,
               {file, file.string() + ".state", "card"}, callbacks);
  EXPECT_LT(losses.back(), 0.85 * losses.front());

  backbone->save(file, backbone->parameters(), "card");
  const auto loaded = make(", weights: " + file.string());
  EXPECT_EQ(loaded->spec().latent, kLatent);
  const at::Tensor x = normal({1, 6, 6, 8}, 2);
  const auto answer = [&](const momap::Backbone& b) {
    return b.predict(x, at::full({1}, 500.f), b.prepare(condition()));
  };
  EXPECT_TRUE(answer(*loaded).allclose(answer(*backbone), 1e-2, 1e-2));  // stored as f16
  EXPECT_NO_THROW(loaded->begin_training(kLatent, 4, at::full({6}, 1.f)));
  EXPECT_THROW(loaded->begin_training(kLatent, 8, at::full({6}, 1.f)), momap::ConfigError);
}

TEST_F(SdUNet, WhatDoesNotFitTogetherIsAConfigError) {
  EXPECT_NE(error_of([&] { make()->prepare(condition()); }).find("momap train"), std::string::npos);
  EXPECT_THROW(
      begun()->predict(normal({1, 5, 6, 8}, 2), at::zeros({1}), begun()->prepare(condition())),
      momap::DataError);
  std::ofstream(folder.path() / "tokenizer/merges.txt") << "q q\n";
  EXPECT_NE(error_of([&] { make(); }).find("merges.txt:1"), std::string::npos);
  fs::remove_all(folder.path() / "tokenizer");
  EXPECT_NE(error_of([&] { make(); }).find("vocab.json"), std::string::npos);
}

}  // namespace
