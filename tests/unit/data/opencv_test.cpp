// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <momap/data/opencv.h>

namespace momap {
namespace {

TEST(AsMat, SharesMemoryInBothLayouts) {
  at::Tensor colours = at::zeros({4, 5, 3}, at::kByte);
  cv::Mat mat = as_mat(colours);
  EXPECT_EQ(mat.type(), CV_8UC3);
  mat.at<cv::Vec3b>(2, 4)[1] = 200;
  EXPECT_EQ(colours[2][4][1].item<int>(), 200);

  at::Tensor depth = at::zeros({4, 5}, at::kFloat);
  as_mat(depth).at<float>(3, 1) = 2.5f;
  EXPECT_EQ(depth[3][1].item<float>(), 2.5f);
}

TEST(AsMat, MapsEveryType) {
  EXPECT_EQ(as_mat(at::zeros({1, 1}, at::kByte)).type(), CV_8UC1);
  EXPECT_EQ(as_mat(at::zeros({1, 1}, at::kInt)).type(), CV_32SC1);
  EXPECT_EQ(as_mat(at::zeros({1, 1, 2}, at::kFloat)).type(), CV_32FC2);
  EXPECT_EQ(as_mat(at::zeros({1, 1, 4}, at::kDouble)).type(), CV_64FC4);
}

TEST(AsMat, RefusesWhatAMatrixCannotHold) {
  EXPECT_THROW(as_mat(at::zeros({2, 3}, at::kLong)), std::invalid_argument);
  EXPECT_THROW(as_mat(at::zeros({2, 3}, at::kBool)), std::invalid_argument);
  EXPECT_THROW(as_mat(at::zeros({2}, at::kFloat)), std::invalid_argument);
  EXPECT_THROW(as_mat(at::zeros({2, 2, 2, 2}, at::kFloat)), std::invalid_argument);
  EXPECT_THROW(as_mat(at::zeros({4, 6}, at::kFloat).t()), std::invalid_argument);
  EXPECT_THROW(as_mat(at::zeros({4, 6, 0}, at::kFloat)), std::invalid_argument);
}

TEST(ToTensor, CopiesAlsoFromAPartOfAMatrix) {
  cv::Mat whole(6, 8, CV_32FC2);
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 8; ++x)
      whole.at<cv::Vec2f>(y, x) = {static_cast<float>(y), static_cast<float>(x)};
  }
  const at::Tensor part = to_tensor(whole(cv::Rect(2, 1, 3, 4)));
  EXPECT_EQ(part.sizes(), (std::vector<int64_t>{4, 3, 2}));
  EXPECT_EQ(part[3][2][0].item<float>(), 4);
  EXPECT_EQ(part[3][2][1].item<float>(), 4);
  whole.setTo(0);
  EXPECT_EQ(part[3][2][0].item<float>(), 4);
}

TEST(ToTensor, RoundTripsAndRefusesOtherTypes) {
  const at::Tensor ids = at::empty({3, 2}, at::kInt).fill_(7);
  EXPECT_TRUE(to_tensor(as_mat(ids)).equal(ids));
  EXPECT_THROW(to_tensor(cv::Mat(2, 2, CV_16UC1)), std::invalid_argument);
}

}  // namespace
}  // namespace momap
