// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/files.h>
#include <momap/base/random.h>
#include <momap/stage/backbone.h>

#include <cmath>

#include "example_scenes.h"
#include "plugin_fixture.h"

namespace {

using momap::testing::scene_condition;
using momap::testing::write_scene;

class Retrieval : public ::testing::Test {
 protected:
  Retrieval() {
    write_scene(folder_.path() / "dark.safetensors", 10, {1, 2}, {"opens", "closes"});
    write_scene(folder_.path() / "grey.safetensors", 100, {3, 4}, {"opens", "closes"});
    write_scene(folder_.path() / "light.safetensors", 250, {5, 6}, {"opens", "closes"});
  }
  std::shared_ptr<momap::Backbone> make(const std::string& more = "") const {
    return momap::testing::make_plugin<momap::Backbone>(
        "backbone/retrieval", "{examples: " + folder_.path().string() + more + "}");
  }
  // What is predicted from nothing but noise of this constant.
  static double from(const momap::Backbone& backbone, const momap::Condition& condition,
                     double noisy, double time) {
    const auto given = backbone.prepare(condition);
    const at::Tensor out = backbone.predict(at::full({1, 2, 4, 4}, noisy, at::kFloat),
                                            at::full({1}, time, at::kFloat), given);
    EXPECT_EQ(out.min().item<float>(), out.max().item<float>());
    return out.mean().item<double>();
  }
  momap::TemporaryFolder folder_;
};

TEST_F(Retrieval, TheNearestSceneIsFoundByItsLookAndThePrompt) {
  const auto backbone = make(", neighbours: 1");
  EXPECT_EQ(from(*backbone, scene_condition(110, "opens"), 0, 1), 3);
  EXPECT_EQ(from(*backbone, scene_condition(110, "closes"), 0, 1), 4);
  EXPECT_EQ(from(*backbone, scene_condition(255, "closes"), 0, 1), 6);
  EXPECT_EQ(from(*backbone, scene_condition(255, ""), 0, 1), 5);  // the first of equals
}

TEST_F(Retrieval, PredictionsAreThePosteriorMeanOfTheNeighbours) {
  const auto backbone = make(", neighbours: 2, text_weight: 0");
  const auto condition = scene_condition(100, "");
  // Pure noise says nothing: the mean of 3 and 4. Little noise says which.
  EXPECT_NEAR(from(*backbone, condition, 0.3, 1), 3.5, 1e-6);
  EXPECT_NEAR(from(*backbone, condition, 3.1, 0.02), 3, 1e-6);
  EXPECT_NEAR(from(*backbone, condition, 3.9, 0.02), 4, 1e-6);
  // By hand: 32 values, alpha = sigma = sqrt(1/2) at t = 1/2, x = alpha 3.51.
  const double a = 32 * 0.51 * 0.51 / 2, b = 32 * 0.49 * 0.49 / 2;
  const double share = 1 / (1 + std::exp(b - a));  // of 4 against 3, sigma^2 = alpha^2
  EXPECT_NEAR(from(*backbone, condition, std::sqrt(0.5) * 3.51, 0.5), 3 + (1 - (1 - share)), 1e-5);
}

TEST_F(Retrieval, MoreNeighboursThanExamplesAreAllOfThem) {
  EXPECT_NEAR(from(*make(", neighbours: 99"), scene_condition(100, ""), 0, 1), 3.5, 1e-6);
}

TEST_F(Retrieval, LatentsFollowTheSizeOfTheScene) {
  const auto backbone = make();
  const auto given = backbone->prepare(scene_condition(10, "", 20, 12));
  EXPECT_EQ(backbone->predict(at::zeros({1, 2, 5, 3}), at::ones({1}), given).sizes(),
            at::IntArrayRef({1, 2, 5, 3}));
}

}  // namespace
