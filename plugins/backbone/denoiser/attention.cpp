// SPDX-License-Identifier: Apache-2.0
#include "attention.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace denoiser {
namespace {

constexpr int64_t kHeadWidth = 32;

}  // namespace

Attention::Attention(momap::network::Parameters& parameters, const std::string& name,
                     int64_t channels, int64_t context)
    : heads_(std::max<int64_t>(1, channels / kHeadWidth)),
      norm_(parameters, name + ".norm", channels),
      query_(parameters, name + ".query", channels, channels, 1),
      key_value_(parameters, name + ".key_value", context ? context : channels, 2 * channels, 1),
      out_(parameters, name + ".out", channels, channels, 1, 1, 0) {
  while (channels % heads_ != 0) --heads_;
}

at::Tensor Attention::operator()(const at::Tensor& x, const at::Tensor& tokens,
                                 const at::Tensor& absent) const {
  const int64_t batch = x.size(0);
  const int64_t channels = x.size(1);
  const int64_t width = channels / heads_;
  const at::Tensor normed = norm_(x);
  const auto heads = [&](const at::Tensor& y) { return y.reshape({batch * heads_, width, -1}); };
  const at::Tensor query = heads(query_(normed));  // [B heads, width, N]
  const at::Tensor both = key_value_(tokens.defined() ? tokens.unsqueeze(-1) : normed);
  const at::Tensor key = heads(both.narrow(1, 0, channels));           // [B heads, width, L]
  const at::Tensor value = heads(both.narrow(1, channels, channels));  // [B heads, width, L]
  at::Tensor score = at::bmm(query.transpose(1, 2), key) / std::sqrt(static_cast<double>(width));
  if (absent.defined()) {
    const at::Tensor mask = absent.unsqueeze(1).repeat_interleave(heads_, 0);  // [B heads, 1, L]
    score = score.masked_fill(mask, -1e9);
  }
  const at::Tensor y =
      at::bmm(value, at::softmax(score, -1).transpose(1, 2));  // [B heads, width, N]
  return x + out_(y.reshape(x.sizes()));
}

}  // namespace denoiser
