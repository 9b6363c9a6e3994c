// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/tensor_file.h>
#include <momap/stage/encoding.h>
#include <torch/csrc/autograd/autograd.h>

#include "moved_maps.h"
#include "plugin_fixture.h"

namespace {

using momap::Condition;
using momap::Encoding;
using momap::MoMap;
using momap::testing::condition_of;
using momap::testing::context;
using momap::testing::moved;

constexpr const char* kSmall = "width: 16, channels: 4, coefficients: 4";

std::shared_ptr<Encoding> make(const std::string& yaml) {
  return momap::testing::make_plugin<Encoding>("encoding/vae", yaml);
}

/// A square that slides over ground at rest.
MoMap sliding(int64_t height, int64_t width, double speed) {
  return moved(8, height, width, [=](int64_t t, int64_t y, int64_t x) {
    const bool inside = y >= height / 4 && y < height / 2 && x >= width / 4 && x < width / 2;
    return std::array{inside ? speed * static_cast<double>(t) : 0.0, 0.0, 0.0};
  });
}

Condition with_segment(const MoMap& map) {
  Condition condition = condition_of(map);
  condition.segments = (map.xyz[1] - map.xyz[0]).abs().sum(-1).gt(0).to(at::kInt);
  return condition;
}

std::shared_ptr<Encoding> ready(const std::string& yaml) {
  const auto vae = make(yaml);
  vae->measure(sliding(32, 32, 0.02));
  vae->begin_training();
  return vae;
}

std::string saved(const momap::TemporaryFolder& folder, const std::string& name, int seed) {
  const auto vae = ready(fmt::format("{{{}, seed: {}}}", kSmall, seed));
  const auto path = folder.path() / name;
  vae->save(path, vae->parameters(), "card");
  return path.string();
}

template <class Error>
std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Vae, LearnsToGiveASlidingSquareBack) {
  const momap::TemporaryFolder folder;
  const auto vae = ready(fmt::format("{{{}}}", kSmall));
  const MoMap map = sliding(32, 32, 0.02);
  const Condition condition = with_segment(map);
  const auto named = vae->parameters();
  std::vector<at::Tensor> parameters;
  for (const auto& [name, tensor] : named) parameters.push_back(tensor);
  // Adam (Kingma & Ba 2015), as plainly as it goes.
  std::vector<at::Tensor> first, second;
  for (const at::Tensor& p : parameters) {
    p.set_requires_grad(true);
    first.push_back(at::zeros_like(p));
    second.push_back(at::zeros_like(p));
  }
  double begun = 0, ended = 0;
  constexpr int kSteps = 150;
  for (int step = 0; step < kSteps; ++step) {
    const at::Tensor loss = vae->loss(map, condition, static_cast<uint64_t>(step));
    const auto gradients = torch::autograd::grad({loss}, parameters, {}, false, false, true);
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (!gradients[i].defined()) continue;
      first[i].mul_(0.9).add_(gradients[i], 0.1);
      second[i].mul_(0.99).add_(gradients[i].square(), 0.01);
      const double c1 = 1 - std::pow(0.9, step + 1), c2 = 1 - std::pow(0.99, step + 1);
      parameters[i].sub_(3e-3 * (first[i] / c1) / ((second[i] / c2).sqrt() + 1e-8));
    }
    (step == 0 ? begun : ended) = loss.item<double>();
  }
  for (const at::Tensor& p : parameters) p.set_requires_grad(false);
  EXPECT_LT(ended, 0.35 * begun);

  const MoMap back = vae->decode(vae->encode(map, context()), condition, context());
  const at::Tensor moving = condition.segments->ne(0);
  const at::Tensor error = (back.xyz - map.xyz).norm(2, -1).mean(0);
  const at::Tensor travel = (map.xyz - map.xyz[0]).norm(2, -1).mean(0);
  EXPECT_LT(error.masked_select(moving).mean().item<double>(),
            0.4 * travel.masked_select(moving).mean().item<double>());
  EXPECT_TRUE(at::equal(back.xyz[0], map.xyz[0]));
}

TEST(Vae, LatentsHaveTheShapeAskedForWhateverTheSize) {
  const momap::TemporaryFolder folder;
  const auto vae = make(fmt::format("{{weights: {}}}", saved(folder, "vae.safetensors", 0)));
  for (const auto& [height, width] : {std::pair{32, 32}, {33, 47}, {5, 3}, {1, 1}}) {
    const MoMap map = sliding(height, width, 0.02);
    const auto latent = vae->encode(map, context());
    EXPECT_EQ(latent.values.sizes(), at::IntArrayRef({1, 4, (height + 7) / 8, (width + 7) / 8}));
    const MoMap back = vae->decode(latent, condition_of(map), context());
    EXPECT_EQ(back.xyz.sizes(), map.xyz.sizes());
    EXPECT_TRUE(at::isfinite(back.xyz).all().item<bool>());
    const auto features = vae->features(vae->motion(latent.values, latent.spec));
    EXPECT_EQ(features.size(), 2u);
  }
}

TEST(Vae, MotionForLossesHasGradients) {
  const momap::TemporaryFolder folder;
  const auto vae = make(fmt::format("{{weights: {}}}", saved(folder, "vae.safetensors", 0)));
  const MoMap map = sliding(32, 32, 0.02);
  const auto latent = vae->encode(map, context());
  const at::Tensor values = latent.values.clone().set_requires_grad(true);
  const at::Tensor motion = vae->motion(values, latent.spec);
  ASSERT_EQ(motion.sizes(), at::IntArrayRef({1, 8, 3, 32, 32}));
  EXPECT_EQ(motion[0][0].abs().max().item<double>(), 0);
  at::Tensor sum;
  for (const at::Tensor& seen : vae->features(motion)) {
    sum = sum.defined() ? sum + seen.square().sum() : seen.square().sum();
  }
  const auto gradient = torch::autograd::grad({sum}, {values})[0];
  EXPECT_GT(gradient.abs().max().item<double>(), 0);
}

TEST(Vae, LatentsOfOtherWeightsAreRefused) {
  const momap::TemporaryFolder folder;
  const auto one = make(fmt::format("{{weights: {}}}", saved(folder, "one.safetensors", 1)));
  const auto two = make(fmt::format("{{weights: {}}}", saved(folder, "two.safetensors", 2)));
  const MoMap map = sliding(16, 16, 0.02);
  const auto latent = one->encode(map, context());
  EXPECT_NE(message_of<momap::DataError>([&] {
              two->decode(latent, condition_of(map), context());
            }).find("use the weights it was encoded or trained with"),
            std::string::npos);
}

TEST(Vae, WhatCannotWorkIsSaid) {
  const momap::TemporaryFolder folder;
  const MoMap map = sliding(16, 16, 0.02);
  EXPECT_NE(message_of<momap::ConfigError>([&] {
              make("{}")->encode(map, context());
            }).find("parameter 'weights' is empty"),
            std::string::npos);
  EXPECT_NE(message_of<momap::ConfigError>([&] { make("{stride: 6}"); }).find("'stride' = 6"),
            std::string::npos);
  EXPECT_NE(
      message_of<momap::ConfigError>([&] { make("{perceptual: 1}"); }).find("'perceptual_weights'"),
      std::string::npos);
  EXPECT_NE(message_of<momap::ConfigError>([&] {
              const auto vae = make("{}");
              vae->measure(sliding(16, 16, 0));
              vae->begin_training();
            }).find("nothing moves"),
            std::string::npos);
  const std::string path = saved(folder, "vae.safetensors", 0);
  auto file = momap::read_safetensors(path);
  file.tensors.erase("in.weight");
  file.metadata["architecture.stride"] = "8";
  momap::write_safetensors(folder.path() / "part.safetensors", file);
  EXPECT_NE(message_of<momap::ConfigError>([&] {
              make(fmt::format("{{weights: {}/part.safetensors}}", folder.path().string()));
            }).find("in.weight"),
            std::string::npos);
}

}  // namespace
