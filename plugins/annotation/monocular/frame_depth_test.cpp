// SPDX-License-Identifier: Apache-2.0
#include "monocular/frame_depth.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <limits>
#include <string>

#include "plugin_fixture.h"

namespace momap {
namespace {

const NetworkFormat kPlain{.mean = {0, 0, 0}, .deviation = {1, 1, 1}};

// Columns as red levels.
at::Tensor ramp(int64_t height, int64_t width) {
  at::Tensor frame = at::zeros({height, width, 3}, at::kByte);
  frame.select(2, 0).copy_(at::arange(width).expand({height, width}));
  return frame;
}

TEST(FrameDepth, ShowsTheNetworkNormalisedColoursInItsOrderAndSize) {
  NetworkFormat format{.width = 96, .height = 64};
  at::Tensor seen;
  const auto network = [&](const at::Tensor& input) {
    seen = input.clone();
    return at::ones({1, 1, 4, 4});
  };
  const at::Tensor frame = at::tensor({255, 0, 51}, at::kByte).expand({30, 40, 3}).contiguous();
  frame_depth(frame, format, network);
  ASSERT_EQ(seen.sizes(), (at::IntArrayRef{1, 3, 64, 96}));
  EXPECT_NEAR(seen[0][0][10][10].item<double>(), (1 - 0.485) / 0.229, 1e-5);
  EXPECT_NEAR(seen[0][1][10][10].item<double>(), -0.456 / 0.224, 1e-5);
  EXPECT_NEAR(seen[0][2][10][10].item<double>(), (0.2 - 0.406) / 0.225, 1e-5);
  format.channels = "bgr";
  frame_depth(frame, format, network);
  EXPECT_NEAR(seen[0][0][10][10].item<double>(), (0.2 - 0.406) / 0.225, 1e-5);
  EXPECT_NEAR(seen[0][2][10][10].item<double>(), (1 - 0.485) / 0.229, 1e-5);
}

TEST(FrameDepth, SidesFollowTheFrameInMultiples) {
  at::Tensor seen;
  const auto network = [&](const at::Tensor& input) { return (seen = input.clone()).select(1, 0); };
  const at::Tensor depth = frame_depth(ramp(33, 64).add(1).to(at::kByte), kPlain, network);
  EXPECT_EQ(seen.sizes(), (at::IntArrayRef{1, 3, 64, 64}));
  EXPECT_EQ(depth.sizes(), (at::IntArrayRef{33, 64}));
}

TEST(FrameDepth, DepthAndDisparityBecomeMetres) {
  NetworkFormat format = kPlain;
  format.scale = 2;
  format.shift = 1;
  const auto three = [](const at::Tensor&) { return at::full({1, 8, 8}, 3.0f); };
  EXPECT_NEAR(frame_depth(ramp(32, 32), format, three)[5][5].item<double>(), 8, 1e-5);
  format.output = "disparity";
  EXPECT_NEAR(frame_depth(ramp(32, 32), format, three)[5][5].item<double>(), 0.5, 1e-6);
}

TEST(FrameDepth, WhatCannotBeADepthIsUnknownAndNeverNan) {
  const auto odd = [](const at::Tensor&) {
    at::Tensor out = at::full({32, 32}, 4.0f);
    out[0].fill_(std::numeric_limits<float>::quiet_NaN());
    out[1].fill_(-1);
    out[2].fill_(std::numeric_limits<float>::infinity());
    return out;
  };
  const at::Tensor depth = frame_depth(ramp(32, 32), kPlain, odd);
  for (int row = 0; row < 3; ++row) EXPECT_EQ(depth[row].abs().max().item<float>(), 0) << row;
  EXPECT_EQ(depth[3].min().item<float>(), 4);
}

TEST(FrameDepth, RefusesOtherShapesAndOutputsWithoutDepth) {
  const auto said = [](const DepthNetwork& network) {
    try {
      frame_depth(ramp(32, 32), kPlain, network);
    } catch (const DataError& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  };
  EXPECT_NE(said([](const at::Tensor&) {
              return at::ones({1, 2, 8, 8});
            }).find("[1, 2, 8, 8]"),
            std::string::npos);
  EXPECT_NE(said([](const at::Tensor&) {
              return at::zeros({8, 8});
            }).find("no depth"),
            std::string::npos);
}

TEST(FrameDepth, ListsThatAreNotThreeColoursAreRefused) {
  EXPECT_THROW((NetworkFormat{.mean = {0.5}}.check()), ConfigError);
  EXPECT_THROW((NetworkFormat{.deviation = {1, 0, 1}}.check()), ConfigError);
}

}  // namespace
}  // namespace momap
