// SPDX-License-Identifier: Apache-2.0
#include "flow/dense_flow.h"

#include <gtest/gtest.h>
#include <momap/base/error.h>

#include <opencv2/imgproc.hpp>

namespace {

// A blurred random texture, moved by a fraction of a pixel more than (3, -2).
TEST(DenseFlow, FindsAShiftBelowAPixelWithEveryFlow) {
  cv::Mat noise(96, 128, CV_8UC3), texture, moved;
  cv::theRNG().state = 7;
  cv::randu(noise, 0, 255);
  cv::GaussianBlur(noise, texture, {}, 2.5);
  cv::normalize(texture, texture, 0, 255, cv::NORM_MINMAX);
  const cv::Matx23d shift(1, 0, 3.25, 0, 1, -2.5);
  cv::warpAffine(texture, moved, shift, texture.size(), cv::INTER_CUBIC, cv::BORDER_REFLECT);
  for (const char* name : {"dis", "farneback", "deepflow"}) {
    const auto flow = momap::make_flow({.flow = name});
    const auto a = flow->prepare(texture), b = flow->prepare(moved);
    const momap::FlowPair pair = flow->pair(*a, *b);
    const cv::Rect inner(16, 16, 96, 64);
    const cv::Scalar there = cv::mean(pair.forward(inner)), back = cv::mean(pair.backward(inner));
    EXPECT_NEAR(there[0], 3.25, 0.1) << name;
    EXPECT_NEAR(there[1], -2.5, 0.1) << name;
    EXPECT_NEAR(back[0], -3.25, 0.1) << name;
    EXPECT_NEAR(back[1], 2.5, 0.1) << name;
  }
}

TEST(DenseFlow, RaftWithoutWeightsIsRefused) {
  EXPECT_THROW(momap::make_flow({.flow = "raft_small"}), momap::ConfigError);
}

}  // namespace
