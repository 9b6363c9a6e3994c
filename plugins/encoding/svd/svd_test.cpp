// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/tensor_file.h>
#include <momap/stage/encoding.h>

#include <cmath>

#include "moved_maps.h"
#include "plugin_fixture.h"

namespace {

using momap::MoMap;
using momap::testing::condition_of;
using momap::testing::context;
using momap::testing::moved;
using momap::testing::worst_relative_error;

constexpr int64_t kFrames = 10;

std::shared_ptr<momap::Encoding> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Encoding>("encoding/svd", yaml);
}

/// Each pixel follows its own mixture of a ramp and an oscillation.
MoMap mixture(double ramp, double swing) {
  return moved(kFrames, 6, 8, [=](int64_t t, int64_t y, int64_t x) {
    const auto now = static_cast<double>(t);
    const double a = ramp * now * (1 + static_cast<double>(x)),
                 b = swing * std::sin(1.3 * now) * (1 + static_cast<double>(y));
    return std::array{a, b, 0.5 * a - b};
  });
}

std::string learned(const momap::TemporaryFolder& folder) {
  const auto svd = make("{curves: 2}");
  svd->measure(mixture(0.01, 0.02));
  svd->measure(mixture(0.02, -0.01));
  svd->begin_training();
  EXPECT_TRUE(svd->parameters().empty());
  const auto path = folder.path() / "curves.safetensors";
  svd->save(path, {}, "card");
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

TEST(Svd, TwoCurvesHoldMotionOfTwoKinds) {
  const momap::TemporaryFolder folder;
  const std::string path = learned(folder);
  const MoMap other = mixture(-0.03, 0.015);  // not measured, of the same two curves
  for (const auto& [curves, low, high] :
       {std::tuple{1, 1e-3, 1.0}, {2, 0.0, 1e-5}, {10, 0.0, 1e-5}, {20, 0.0, 1e-5}}) {
    const auto svd = make(fmt::format("{{weights: {}, curves: {}, deadband: 0}}", path, curves));
    const auto latent = svd->encode(other, context());
    EXPECT_EQ(latent.values.size(1), 3 * curves);
    const double error =
        worst_relative_error(svd->decode(latent, condition_of(other), context()).xyz, other.xyz);
    EXPECT_GE(error, low) << curves;
    EXPECT_LT(error, high) << curves;
  }
}

TEST(Svd, CurvesAreOrthonormalAndComeByTheMotionTheyCarry) {
  const momap::TemporaryFolder folder;
  const auto file = momap::read_safetensors(learned(folder));
  const at::Tensor curves = file.tensors.at("curves"), energy = file.tensors.at("energy");
  EXPECT_TRUE(at::allclose(curves.matmul(curves.t()), at::eye(kFrames), 1e-5, 1e-5));
  EXPECT_TRUE(energy.slice(0, 1).le(energy.slice(0, 0, kFrames - 1) + 1e-7).all().item<bool>());
  EXPECT_NEAR(energy.slice(0, 0, 2).sum().item<double>(), 1, 1e-5);
  // Paths start at rest, and so do the curves that carry them.
  EXPECT_LT(curves.slice(0, 0, 2).select(1, 0).abs().max().item<double>(), 1e-5);
}

TEST(Svd, WhatCannotBeReadOrLearnedIsSaid) {
  const momap::TemporaryFolder folder;
  const std::string path = learned(folder);
  const auto svd = make(fmt::format("{{weights: {}}}", path));
  EXPECT_NE(message_of<momap::DataError>([&] {
              svd->encode(momap::testing::random_map(kFrames + 1, 2, 2), context());
            }).find("has 11 frames, the curves were learned on 10"),
            std::string::npos);
  EXPECT_NE(message_of<momap::ConfigError>([&] {
              make("{}")->encode(mixture(1, 1), context());
            }).find("parameter 'weights' is empty"),
            std::string::npos);
  EXPECT_NE(message_of<momap::ConfigError>([&] {
              const auto none = make("{}");
              none->measure(mixture(0, 0));
              none->begin_training();
            }).find("nothing moves"),
            std::string::npos);
  auto file = momap::read_safetensors(path);
  file.tensors["curves"] = file.tensors["curves"] * 2;
  file.metadata["frames"] = "10";
  momap::write_safetensors(folder.path() / "skewed.safetensors", file);
  EXPECT_NE(message_of<momap::ConfigError>([&] {
              make(fmt::format("{{weights: {}/skewed.safetensors}}", folder.path().string()));
            }).find("not orthonormal"),
            std::string::npos);
}

TEST(Svd, LatentsOfOtherCurvesAreRefused) {
  const momap::TemporaryFolder folder;
  const auto svd = make(fmt::format("{{weights: {}, curves: 2}}", learned(folder)));
  const MoMap map = mixture(0.01, 0.01);
  auto latent = svd->encode(map, context());
  const auto others = make("{curves: 2}");
  others->measure(mixture(0.01, 0));
  others->begin_training();
  EXPECT_NE(message_of<momap::DataError>([&] {
              others->decode(latent, condition_of(map), context());
            }).find("this step has"),
            std::string::npos);
}

}  // namespace
