// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/train/latent_scale.h>

namespace momap {
namespace {

TEST(LatentScale, IsTheRootMeanSquareOfEachChannel) {
  LatentScale estimate;
  at::Tensor a = at::full({2, 2, 3}, 3.f);
  a[1].fill_(-0.5);
  at::Tensor b = at::full({2, 1, 2}, 5.f);  // another size
  b[1].fill_(2);
  estimate.add(a);
  estimate.add(b);
  const at::Tensor scale = estimate.scale();
  EXPECT_NEAR(scale[0].item<double>(), std::sqrt((6 * 9 + 2 * 25) / 8.0), 1e-6);
  EXPECT_NEAR(scale[1].item<double>(), std::sqrt((6 * 0.25 + 2 * 4) / 8.0), 1e-6);
}

TEST(LatentScale, CellsWithoutEvidenceDoNotCount) {
  LatentScale estimate;
  at::Tensor latent = at::full({1, 1, 4}, 2.f);
  latent[0][0][3] = 100;
  estimate.add(latent, at::tensor({1.f, 1.f, 0.5f, 0.f}).view({1, 4}));
  EXPECT_NEAR(estimate.scale()[0].item<double>(), 2, 1e-6);
}

TEST(LatentScale, ASilentChannelIsNotBlownUp) {
  LatentScale estimate;
  at::Tensor latent = at::ones({2, 4, 4});
  latent[1].zero_();
  estimate.add(latent);
  EXPECT_NEAR(estimate.scale()[1].item<double>(), 1e-3, 1e-8);
}

TEST(LatentScale, WhatCannotBeScaledIsADataError) {
  EXPECT_THROW(LatentScale().scale(), DataError);
  LatentScale still;
  still.add(at::zeros({2, 3, 3}));
  EXPECT_THROW(still.scale(), DataError);
  EXPECT_THROW(still.add(at::zeros({3, 3, 3})), DataError);
  EXPECT_THROW(still.add(at::full({2, 3, 3}, NAN)), DataError);
}

}  // namespace
}  // namespace momap
