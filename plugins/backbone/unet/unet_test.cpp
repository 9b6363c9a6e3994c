// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/data/tensor_file.h>
#include <momap/stage/backbone.h>
#include <tbb/parallel_for.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "denoiser_promises.h"
#include "plugin_fixture.h"

namespace {

using denoiser::testing::kLatent;
using denoiser::testing::NamedTensors;
using denoiser::testing::normal;
using denoiser::testing::scene;
using momap::Condition;
using momap::Conditioning;

std::shared_ptr<momap::Backbone> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Backbone>("backbone/unet", yaml);
}

// A small network whose every layer has an effect (as made, the last ones are zero).
std::shared_ptr<momap::Backbone> small(int64_t channels = 3, int64_t stride = 1) {
  auto backbone = make("{width: 16, levels: 3, blocks: 1, text_width: 8, seed: 4, storage: f32}");
  denoiser::testing::stir(*backbone, channels, stride);
  return backbone;
}

TEST(UNet, TakesAnySize) {
  const auto backbone = small();
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>{1, 1}, {1, 9}, {5, 3}, {8, 12}, {13, 4}}) {
    const at::Tensor out = backbone->predict(normal({1, 3, h, w}, 9), at::full({1}, 0.5f),
                                             backbone->prepare(scene(h, w)));
    EXPECT_EQ(out.sizes(), at::IntArrayRef({1, 3, h, w}));
    EXPECT_TRUE(at::isfinite(out).all().item<bool>());
    EXPECT_GT(out.abs().max().item<double>(), 0);
  }
}

TEST(UNet, PredictsZeroBeforeTraining) {
  denoiser::testing::predicts_zero_before_training(*make("{width: 8, levels: 2}"));
}

TEST(UNet, GradientAgreesWithFiniteDifferences) {
  denoiser::testing::gradient_agrees_with_finite_differences(*small());
}

TEST(UNet, RowsOfABatchDoNotMix) { denoiser::testing::rows_of_a_batch_do_not_mix(*small()); }

TEST(UNet, EveryPartOfTheConditionHasAnEffect) {
  const auto backbone = small();
  const Conditioning given = backbone->prepare(scene(8, 8));
  const at::Tensor x = normal({1, 3, 8, 8}, 6);
  const at::Tensor level = at::full({1}, 0.5f);
  const at::Tensor base = backbone->predict(x, level, given);
  const auto differs = [&](const Conditioning& other, const at::Tensor& at_level) {
    return (backbone->predict(x, at_level, other) - base).abs().max().item<double>() > 1e-4;
  };
  EXPECT_TRUE(differs({at::zeros_like(given.spatial), given.tokens}, level));
  EXPECT_TRUE(differs({given.spatial, at::zeros_like(given.tokens)}, level));
  EXPECT_TRUE(
      differs({given.spatial, backbone->prepare(scene(8, 8, "a door closes")).tokens}, level));
  EXPECT_TRUE(differs(given, level + 0.1));
}

TEST(UNet, PredictIsTheSameFromManyThreads) {
  const auto backbone = small();
  const Conditioning given = backbone->prepare(scene(8, 8));
  const at::Tensor x = normal({1, 3, 8, 8}, 7);
  const at::Tensor alone = backbone->predict(x, at::ones({1}), given);
  std::vector<at::Tensor> results(16);
  tbb::parallel_for(0, 16, [&](int i) { results[i] = backbone->predict(x, at::ones({1}), given); });
  for (const at::Tensor& result : results) EXPECT_TRUE(at::equal(result, alone));
}

TEST(UNet, WordsAreCaselessAndOnlyTheFirstSixteenCount) {
  const auto backbone = small();
  const auto tokens = [&](const std::string& text) {
    return backbone->prepare(scene(2, 2, text)).tokens;
  };
  EXPECT_TRUE(at::equal(tokens("The Door, opens!"), tokens("the door\topens 42")));
  EXPECT_FALSE(at::equal(tokens("the door opens"), tokens("the door closes")));
  EXPECT_EQ(tokens("").abs().sum().item<int64_t>(), 0);
  EXPECT_EQ(tokens("... 123").abs().sum().item<int64_t>(), 0);
  EXPECT_EQ(tokens("a b c").ne(0).sum().item<int64_t>(), 3);
  EXPECT_EQ(tokens("a b c d e f g h i j k l m n o p q r s").ne(0).sum().item<int64_t>(), 16);
  // FNV-1a of "a" (published: af63dc4c8601ec8c), mod 1023, plus 1.
  EXPECT_EQ(tokens("A")[0][0].item<int64_t>(),
            1 + static_cast<int64_t>(0xaf63dc4c8601ec8cULL % 1023));
}

TEST(UNet, ConditionIsAveragedOverCellsAndFreeOfScale) {
  const auto backbone = small(3, 2);
  Condition condition = scene(5, 3);
  condition.image.fill_(255);
  condition.points[0][1].zero_();  // unknown
  condition.segments->slice(0, 2, 5).fill_(1);
  const at::Tensor spatial = backbone->prepare(condition).spatial;
  ASSERT_EQ(spatial.sizes(), at::IntArrayRef({1, 8, 3, 2}));
  const at::Tensor s = spatial[0];
  EXPECT_TRUE(at::allclose(s.slice(0, 0, 3), at::ones({3, 3, 2})));
  EXPECT_NEAR(s[3][0][0].item<double>(), (0.0 + 0.0 + 0.1) / 3,
              1e-6);                                       // x/z of the three known pixels
  EXPECT_NEAR(s[4][2][1].item<double>(), -0.2 * 4, 1e-6);  // a cell of one pixel
  EXPECT_NEAR(s[6][0][0].item<double>(), 0.75, 1e-6);
  EXPECT_NEAR(s[7][0][0].item<double>(), 0.5, 1e-6);  // row 1 borders on the other segment
  EXPECT_EQ(s[7][1].abs().max().item<double>(), 0);
  condition.points = condition.points * 10;
  EXPECT_TRUE(at::allclose(backbone->prepare(condition).spatial, spatial, 1e-5, 1e-5));
}

TEST(UNet, ACheckpointGivesThePredictionsBack) {
  const momap::TemporaryFolder folder;
  const auto backbone = small(6, 4);
  backbone->save(folder.path() / "net.safetensors", backbone->parameters(), "a card");
  const auto loaded = make("{weights: " + (folder.path() / "net.safetensors").string() + "}");
  const momap::BackboneSpec spec = loaded->spec();
  EXPECT_EQ(spec.channels, 6);
  EXPECT_EQ(spec.stride, 4);
  EXPECT_EQ(spec.latent, kLatent);
  EXPECT_TRUE(at::equal(spec.scale, at::full({6}, 0.5f)));
  const Conditioning conditioning = loaded->prepare(scene(20, 16));
  const at::Tensor x = normal({1, 6, 5, 4}, 8);
  EXPECT_TRUE(at::equal(loaded->predict(x, at::ones({1}), conditioning),
                        backbone->predict(x, at::ones({1}), conditioning)));
  EXPECT_EQ(momap::read_safetensors(folder.path() / "net.safetensors").metadata.at("card"),
            "a card");
}

TEST(UNet, TheDefaultNetworkFitsInFourMegabytes) {
  const momap::TemporaryFolder folder;
  const auto backbone = make("{}");
  backbone->begin_training(kLatent, 8, at::ones({24}));
  int64_t count = 0;
  for (const auto& [name, tensor] : backbone->parameters()) count += tensor.numel();
  RecordProperty("parameters", std::to_string(count));
  EXPECT_GT(count, 1'000'000);
  EXPECT_LT(count, 2'000'000);
  const auto path = folder.path() / "net.safetensors";
  backbone->save(path, backbone->parameters(), "");
  EXPECT_LT(std::filesystem::file_size(path), 4u << 20);
  const NamedTensors loaded = make("{weights: " + path.string() + "}")->parameters();
  for (size_t i = 0; i < loaded.size(); ++i) {
    EXPECT_TRUE(at::allclose(loaded[i].second, backbone->parameters()[i].second, 1e-3, 1e-6))
        << loaded[i].first;
  }
}

std::string config_error(const std::function<void()>& act) {
  try {
    act();
  } catch (const momap::ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(UNet, EverythingWrongWithACheckpointIsSaidAtOnce) {
  const momap::TemporaryFolder folder;
  const auto path = folder.path() / "net.safetensors";
  const auto backbone = small();
  backbone->save(path, backbone->parameters(), "");
  momap::TensorFile file = momap::read_safetensors(path);
  for (auto& [name, tensor] : file.tensors) tensor = tensor.clone();
  file.tensors.erase("out.bias");
  file.tensors["in.weight"] = at::zeros({2, 2});
  file.tensors["extra"] = at::zeros({1});
  file.tensors["time.1.bias"].fill_(NAN);
  momap::write_safetensors(path, file);
  const std::string message = config_error([&] { make("{weights: " + path.string() + "}"); });
  for (const char* part : {"out.bias", "in.weight", "[2, 2]", "extra", "time.1.bias"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
  }
}

TEST(UNet, ParametersThatContradictTheCheckpointAreRefused) {
  const momap::TemporaryFolder folder;
  const std::string path = (folder.path() / "net.safetensors").string();
  const auto backbone = small();
  backbone->save(path, backbone->parameters(), "");
  EXPECT_NO_THROW(make("{weights: " + path + ", width: 16}"));
  const std::string message =
      config_error([&] { make("{weights: " + path + ", width: 24, blocks: 2}"); });
  EXPECT_NE(message.find("'width' = 24"), std::string::npos) << message;
  EXPECT_NE(message.find("'blocks' = 2"), std::string::npos) << message;
  const auto loaded = make("{weights: " + path + "}");
  EXPECT_THROW(loaded->begin_training(kLatent, 2, at::ones({3})), momap::ConfigError);
  EXPECT_NO_THROW(loaded->begin_training(kLatent, 1, at::ones({3})));
}

TEST(UNet, WithoutWeightsItSaysWhatToDo) {
  const auto backbone = make("{}");
  EXPECT_TRUE(backbone->parameters().empty());
  EXPECT_THROW(backbone->prepare(scene(4, 4)), momap::ConfigError);
  EXPECT_THROW(make("{width: 12}"), momap::ConfigError);
}

TEST(UNet, AConditionOfAnotherSizeIsADataError) {
  const auto backbone = small();
  const Conditioning conditioning = backbone->prepare(scene(4, 4));
  EXPECT_THROW(backbone->predict(normal({1, 3, 4, 5}, 1), at::ones({1}), conditioning),
               momap::DataError);
  EXPECT_THROW(backbone->predict(normal({1, 2, 4, 4}, 1), at::ones({1}), conditioning),
               momap::DataError);
}

// Every option beyond the plain network.
std::shared_ptr<momap::Backbone> detailed() {
  auto backbone = make(
      "{width: 16, levels: 3, blocks: 1, text_width: 8, detail: 4, tokens: 5, text_layers: 2, "
      "attention: 2, seed: 4, storage: f32}");
  backbone->begin_training(kLatent, 8, at::full({3}, 0.5f));
  uint64_t seed = 0;
  for (auto& [name, tensor] : backbone->parameters()) {
    tensor.add_(normal(tensor.sizes().vec(), ++seed) * 0.1);
  }
  return backbone;
}

TEST(UNet, DetailOfTheConditionIsStackedWithoutLoss) {
  const auto coarse = small(3, 2)->prepare(scene(36, 20)).spatial;
  const auto packed = detailed()->prepare(scene(36, 20)).spatial;
  ASSERT_EQ(packed.sizes(), at::IntArrayRef({1, 8 * 16, 5, 3}));
  // Stride 8 at detail 4 is stride 2.
  const at::Tensor fine = at::pixel_shuffle(packed, 4);
  EXPECT_TRUE(at::equal(fine.slice(2, 0, 18).slice(3, 0, 10), coarse));
  EXPECT_EQ(fine.slice(2, 18).abs().max().item<float>(), 0.f);
}

TEST(UNet, EveryParameterOfADetailedNetworkHasAnEffect) {
  const auto backbone = detailed();
  const Conditioning given = backbone->prepare(scene(40, 24, "one two three four five six"));
  EXPECT_EQ(given.tokens.sizes(), at::IntArrayRef({1, 5}));
  const NamedTensors parameters = backbone->parameters();
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : parameters) tensors.push_back(tensor.set_requires_grad(true));
  const at::Tensor loss = (backbone->predict(normal({1, 3, 5, 3}, 1), at::full({1}, 0.4f), given) *
                           normal({1, 3, 5, 3}, 2))
                              .sum();
  const auto gradients = torch::autograd::grad({loss}, tensors);
  for (size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_GT(gradients[i].abs().max().item<float>(), 0) << parameters[i].first;
    tensors[i].set_requires_grad(false);
  }
}

TEST(UNet, ADetailedCheckpointGivesThePredictionsBack) {
  const momap::TemporaryFolder folder;
  const auto backbone = detailed();
  const std::string path = (folder.path() / "net.safetensors").string();
  backbone->save(path, backbone->parameters(), "");
  const auto loaded = make("{weights: " + path + "}");
  const Conditioning given = loaded->prepare(scene(40, 24));
  const at::Tensor x = normal({1, 3, 5, 3}, 8);
  EXPECT_TRUE(at::equal(loaded->predict(x, at::ones({1}), given),
                        backbone->predict(x, at::ones({1}), given)));
  EXPECT_NE(config_error([&] { make("{weights: " + path + ", detail: 2}"); }).find("'detail' = 2"),
            std::string::npos);
}

TEST(UNet, DetailThatDoesNotFitIsRefused) {
  EXPECT_THROW(make("{detail: 3}"), momap::ConfigError);
  EXPECT_THROW(make("{text_layers: 1, text_width: 12}"), momap::ConfigError);
  EXPECT_THROW(make("{detail: 4}")->begin_training(kLatent, 6, at::ones({3})), momap::ConfigError);
}

TEST(UNet, WhatItPredictsIsPartOfTheCheckpoint) {
  const momap::TemporaryFolder folder;
  for (const auto& [name, kind] :
       {std::pair<std::string, momap::Prediction>{"v", momap::Prediction::v},
        {"x0", momap::Prediction::x0}}) {
    const auto backbone = make("{width: 8, levels: 1, prediction: " + name + "}");
    backbone->begin_training(kLatent, 1, at::ones({3}));
    const std::string path = (folder.path() / (name + ".safetensors")).string();
    backbone->save(path, backbone->parameters(), "");
    EXPECT_EQ(backbone->spec().prediction, kind);
    EXPECT_EQ(make("{weights: " + path + "}")->spec().prediction, kind);
    const std::string other = name == "v" ? "x0" : "v";
    EXPECT_NE(config_error([&] {
                make("{weights: " + path + ", prediction: " + other + "}");
              }).find("'prediction' = " + other),
              std::string::npos);
  }
}

}  // namespace
