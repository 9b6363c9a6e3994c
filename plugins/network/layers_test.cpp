// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/random.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <vector>

#include "convolution.h"
#include "exponential.h"
#include "group_norm_silu.h"
#include "small_attention.h"

// Layers of our own against LibTorch's operations in float64.

namespace {

namespace network = momap::network;
using Tensors = std::vector<at::Tensor>;

at::Tensor normal(std::vector<int64_t> shape, uint64_t seed) {
  at::Tensor out = at::empty(shape, at::kFloat);
  momap::Random(seed).fill_normal({out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

double relative(const at::Tensor& found, const at::Tensor& expected) {
  return ((found.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

/// The value and the gradients of `act` by all inputs, without and with gradients on, against
/// `reference` in float64.
void expect_same(const Tensors& inputs, const std::function<at::Tensor(const Tensors&)>& act,
                 const std::function<at::Tensor(const Tensors&)>& reference) {
  Tensors floats, doubles;
  for (const at::Tensor& input : inputs) {
    floats.push_back(input.detach().clone().set_requires_grad(true));
    doubles.push_back(input.detach().to(at::kDouble).set_requires_grad(true));
  }
  const at::Tensor found = act(floats), expected = reference(doubles);
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LT(relative(found.detach(), expected.detach()), 2e-6);
  EXPECT_TRUE(at::equal(act(inputs), found.detach())) << "another value without gradients";
  const at::Tensor direction = normal(found.sizes().vec(), 99);
  const auto by_found = torch::autograd::grad({(found * direction).sum()}, floats);
  const auto by_expected =
      torch::autograd::grad({(expected * direction.to(at::kDouble)).sum()}, doubles);
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_LT(relative(by_found[i], by_expected[i]), 5e-6) << "gradient of input " << i;
  }
}

TEST(Exponential, IsRightToTwoUnitsInTheLastPlace) {
  for (double x = -86.9; x < 87; x += 0.0137) {
    const auto given = static_cast<float>(x);
    const double expected = std::exp(static_cast<double>(given));
    EXPECT_NEAR(network::exponential(given) / expected, 1, 2.5e-7) << x;
  }
  EXPECT_EQ(network::exponential(0), 1.0f);
  EXPECT_GT(network::exponential(-1e30f), 0);
  EXPECT_TRUE(std::isfinite(network::exponential(1e30f)));
}

TEST(GroupNormSilu, IsTheTwoOperations) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{
           {2, 16, 5, 7}, {1, 16, 2, 1}, {3, 24, 33}, {1, 16, 64, 80}}) {
    const int64_t channels = shape[1];
    expect_same(
        {normal(shape, 1) * 3 + 5, normal({channels}, 2), normal({channels}, 3)},
        [](const Tensors& t) { return network::group_norm_silu(t[0], 8, t[1], t[2], 1e-5); },
        [](const Tensors& t) { return at::silu(at::group_norm(t[0], 8, t[1], t[2], 1e-5)); });
  }
}

at::Tensor plain_attention(const Tensors& t, int64_t heads) {
  const int64_t batch = t[0].size(0), width = t[0].size(2) / heads;
  const auto parted = [&](const at::Tensor& x) {
    return x.reshape({batch, -1, heads, width}).transpose(1, 2);
  };
  const at::Tensor scores =
      parted(t[0]).matmul(parted(t[1]).transpose(2, 3)) / std::sqrt(static_cast<double>(width));
  return at::softmax(scores, -1).matmul(parted(t[2])).transpose(1, 2).reshape(t[0].sizes());
}

TEST(SmallAttention, IsAttention) {
  struct Case {
    int64_t batch, rows, keys, heads, width;
  };
  for (const auto& c :
       {Case{2, 64, 64, 4, 8}, {1, 1, 1, 1, 1}, {3, 17, 5, 2, 40}, {1, 33, 128, 1, 64}}) {
    const Tensors inputs{normal({c.batch, c.rows, c.heads * c.width}, 1),
                         normal({c.batch, c.keys, c.heads * c.width}, 2) * 2,
                         normal({c.batch, c.keys, c.heads * c.width}, 3)};
    ASSERT_TRUE(network::is_small_attention(inputs[0], inputs[1], c.heads));
    if (c.keys > 1) {
      expect_same(
          inputs,
          [&](const Tensors& t) { return network::small_attention(t[0], t[1], t[2], c.heads); },
          [&](const Tensors& t) { return plain_attention(t, c.heads); });
    } else {  // whatever is asked, the only value is the answer
      EXPECT_TRUE(at::allclose(network::small_attention(inputs[0], inputs[1], inputs[2], c.heads),
                               inputs[2]));
    }
  }
}

TEST(SmallAttention, ScoresFarApartDoNotOverflow) {
  const at::Tensor q = at::full({1, 2, 4}, 1e4), k = normal({1, 3, 4}, 4) * 1e4;
  const at::Tensor v = normal({1, 3, 4}, 5);
  const at::Tensor out = network::small_attention(q, k, v, 1);
  EXPECT_TRUE(at::allclose(out[0][0], v[0][k.sum(-1).argmax().item<int64_t>()], 1e-5, 1e-5));
}

TEST(ConvolutionKernel, KeepsWeightsOnlyWhileTheyAreTheSame) {
  at::Tensor weight = normal({12, 5, 3, 3}, 1), bias = normal({12}, 2);
  const at::Tensor x = normal({2, 5, 9, 8}, 3);
  for (const int64_t stride : {1, 2}) {
    const network::ConvolutionKernel convolve(weight, bias, stride, 1);
    const auto expected = [&] {
      return at::conv2d(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), stride, 1);
    };
    EXPECT_LT(relative(convolve(x), expected()), 1e-6);
    EXPECT_LT(relative(convolve(x), expected()), 1e-6);
    weight.mul_(-2);
    EXPECT_LT(relative(convolve(x), expected()), 1e-6) << "weights of before are used";
    weight.data_ptr<float>()[0] += 5;  // as an optimiser does
    weight.unsafeGetTensorImpl()->bump_version();
    EXPECT_LT(relative(convolve(x), expected()), 1e-6) << "weights of before are used";
  }
}

}  // namespace
