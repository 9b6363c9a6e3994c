// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/data/tensor_file.h>
#include <momap/stage/backbone.h>

#include "denoiser_promises.h"
#include "plugin_fixture.h"

namespace {

using denoiser::testing::kLatent;
using denoiser::testing::normal;
using momap::Conditioning;

std::shared_ptr<momap::Backbone> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Backbone>("backbone/dit", yaml);
}

// A small network whose every layer has an effect (as made, the last ones are zero).
std::shared_ptr<momap::Backbone> small(const std::string& more = "") {
  auto backbone =
      make("{width: 32, layers: 2, heads: 4, text_width: 8, seed: 4, storage: f32" + more + "}");
  denoiser::testing::stir(*backbone, 3, 8);
  return backbone;
}

Conditioning prepared(const momap::Backbone& backbone, int64_t h, int64_t w,
                      const std::string& text = "a door opens") {
  return backbone.prepare(denoiser::testing::scene(8 * h, 8 * w, text));
}

TEST(Dit, TakesAnySizeAndPatch) {
  for (const char* more : {"", ", patch: 2", ", patch: 4, detail: 4"}) {
    const auto backbone = small(more);
    for (const auto& [h, w] : {std::pair<int64_t, int64_t>{1, 1}, {1, 5}, {4, 3}, {6, 8}}) {
      const at::Tensor out = backbone->predict(normal({1, 3, h, w}, 9), at::full({1}, 0.5f),
                                               prepared(*backbone, h, w));
      EXPECT_EQ(out.sizes(), at::IntArrayRef({1, 3, h, w}));
      EXPECT_TRUE(at::isfinite(out).all().item<bool>());
      EXPECT_GT(out.abs().max().item<double>(), 0);
    }
  }
}

TEST(Dit, PredictsZeroBeforeTraining) {
  denoiser::testing::predicts_zero_before_training(*make("{}"));
}

TEST(Dit, GradientAgreesWithFiniteDifferences) {
  denoiser::testing::gradient_agrees_with_finite_differences(*small());
}

TEST(Dit, PlaceAndPromptAndNoiseLevelMatter) {
  const auto backbone = small();
  const at::Tensor same = at::ones({1, 3, 4, 4}), level = at::full({1}, 0.5f);
  Conditioning blank = prepared(*backbone, 4, 4);
  blank.spatial = at::zeros_like(blank.spatial);
  const at::Tensor out = backbone->predict(same, level, blank);
  EXPECT_GT((out - out.mean(at::IntArrayRef{2, 3}, true)).abs().max().item<double>(), 1e-3);
  Conditioning other = blank;
  other.tokens = prepared(*backbone, 4, 4, "a door closes").tokens;
  EXPECT_GT((backbone->predict(same, level, other) - out).abs().max().item<double>(), 1e-4);
  EXPECT_GT((backbone->predict(same, level + 0.1, blank) - out).abs().max().item<double>(), 1e-4);
}

TEST(Dit, RowsOfABatchDoNotMix) { denoiser::testing::rows_of_a_batch_do_not_mix(*small()); }

TEST(Dit, ACheckpointGivesThePredictionsBackAndNamesItsArchitecture) {
  const momap::TemporaryFolder folder;
  const auto backbone = small(", patch: 2, prediction: flow");
  const auto path = folder.path() / "net.safetensors";
  backbone->save(path, backbone->parameters(), "a card");
  const auto loaded = make("{weights: " + path.string() + "}");
  EXPECT_EQ(loaded->spec().prediction, momap::Prediction::flow);
  const Conditioning conditioning = prepared(*loaded, 5, 4);
  const at::Tensor x = normal({1, 3, 5, 4}, 8);
  EXPECT_TRUE(at::equal(loaded->predict(x, at::ones({1}), conditioning),
                        backbone->predict(x, at::ones({1}), conditioning)));
  try {
    make("{weights: " + path.string() + ", layers: 3, prediction: v}");
    FAIL() << "another architecture was taken";
  } catch (const momap::ConfigError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("'layers' = 3, the checkpoint has 2"), std::string::npos) << message;
    EXPECT_NE(message.find("'prediction' = v, the checkpoint has flow"), std::string::npos)
        << message;
  }
}

TEST(Dit, NumbersThatDoNotGoTogetherAreRefused) {
  EXPECT_THROW(make("{width: 48}"), momap::ConfigError);
  const auto uneven = make("{width: 64, heads: 6}");
  EXPECT_THROW(uneven->begin_training(kLatent, 8, at::ones({3})), momap::ConfigError);
}

}  // namespace
