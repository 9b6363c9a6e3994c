// SPDX-License-Identifier: Apache-2.0
#include "group_norm_silu.h"

#include <ATen/ATen.h>
#include <momap/base/clones.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "exponential.h"

namespace momap::network {
namespace {

struct Moments {
  double mean, inverse_deviation;
};

// In lanes of their own, so that the order of summation is the same for all widths of vector.
MOMAP_CLONES Moments moments(const float* x, int64_t count, double epsilon) {
  constexpr int64_t kLanes = 16, kBlock = 4096;
  double mean = 0, square = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = begin + kBlock < count ? begin + kBlock : count;
    float sum[kLanes] = {}, squares[kLanes] = {};
    const float shift = x[0];  // keeps the squares small where the mean is far from 0
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        const float d = x[i + lane] - shift;
        sum[lane] += d;
        squares[lane] += d * d;
      }
    }
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      mean += sum[lane];
      square += squares[lane];
    }
    for (; i < end; ++i) {
      const double d = x[i] - shift;
      mean += d;
      square += d * d;
    }
  }
  const auto n = static_cast<double>(count);
  const double shifted = mean / n;
  const double variance = square / n - shifted * shifted;
  return {shifted + x[0], 1 / std::sqrt((variance > 0 ? variance : 0) + epsilon)};
}

// y = silu(scale x + shift)
MOMAP_CLONES void scaled_silu(const float* x, int64_t count, float scale, float shift, float* y) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float z = x[i] * scale + shift;
    y[i] = z / (1.0f + exponential(-z));
  }
}

// The gradient by z of silu(z), z = scale x + shift, times that by silu(z).
MOMAP_CLONES void silu_gradient(const float* x, const float* by_y, int64_t count, float scale,
                                float shift, float* by_z) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float z = x[i] * scale + shift;
    const float s = 1.0f / (1.0f + exponential(-z));
    by_z[i] = by_y[i] * s * (1.0f + z * (1.0f - s));
  }
}

struct Sizes {
  int64_t batch, channels, pixels, groups;

  Sizes(const at::Tensor& x, int64_t g)
      : batch(x.size(0)), channels(x.size(1)), pixels(x.numel() / (batch * channels)), groups(g) {}
};

struct Normed {
  at::Tensor y, mean, inverse_deviation;  // as x; f32 [B, groups]
};

Normed forward(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
               const at::Tensor& bias, double epsilon) {
  const Sizes s(x, groups);
  Normed out{at::empty_like(x), at::empty({s.batch, groups}, x.options()),
             at::empty({s.batch, groups}, x.options())};
  const auto* const from = x.data_ptr<float>();
  const auto* const w = weight.data_ptr<float>();
  const auto* const b = bias.data_ptr<float>();
  auto* const to = out.y.data_ptr<float>();
  const int64_t each = s.channels / groups;
  for (int64_t i = 0; i < s.batch * groups; ++i) {
    const float* const block = from + i * each * s.pixels;
    const Moments m = moments(block, each * s.pixels, epsilon);
    out.mean.data_ptr<float>()[i] = static_cast<float>(m.mean);
    out.inverse_deviation.data_ptr<float>()[i] = static_cast<float>(m.inverse_deviation);
    for (int64_t c = 0; c < each; ++c) {
      const int64_t channel = i % groups * each + c;
      const auto scale = static_cast<float>(m.inverse_deviation * w[channel]);
      const auto shift = static_cast<float>(b[channel] - m.mean * m.inverse_deviation * w[channel]);
      scaled_silu(block + c * s.pixels, s.pixels, scale, shift, to + (i * each + c) * s.pixels);
    }
  }
  return out;
}

class GroupNormSilu : public torch::autograd::Function<GroupNormSilu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias, int64_t groups,
                            double epsilon) {
    const Normed normed = network::forward(x, groups, weight, bias, epsilon);
    context->save_for_backward({x, weight, bias, normed.mean, normed.inverse_deviation});
    context->saved_data["groups"] = groups;
    return normed.y;
  }

  static std::vector<at::Tensor> backward(torch::autograd::AutogradContext* context,
                                          std::vector<at::Tensor> gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &mean = saved[3],
                     &inverse = saved[4];
    const Sizes s(x, context->saved_data["groups"].toInt());
    const at::Tensor by_y = gradients[0].contiguous();
    at::Tensor by_z = at::empty_like(x);
    const int64_t each = s.channels / s.groups;
    for (int64_t i = 0; i < s.batch * s.channels; ++i) {
      const int64_t channel = i % s.channels, group = i / each;
      const double m = mean.data_ptr<float>()[group], d = inverse.data_ptr<float>()[group];
      const double w = weight.data_ptr<float>()[channel];
      silu_gradient(x.data_ptr<float>() + i * s.pixels, by_y.data_ptr<float>() + i * s.pixels,
                    s.pixels, static_cast<float>(d * w),
                    static_cast<float>(bias.data_ptr<float>()[channel] - m * d * w),
                    by_z.data_ptr<float>() + i * s.pixels);
    }
    const auto [by_x, by_weight, by_bias] =
        at::native_group_norm_backward(by_z, x, mean, inverse, weight, s.batch, s.channels,
                                       s.pixels, s.groups, {true, true, true});
    return {by_x, by_weight, by_bias, {}, {}};
  }
};

}  // namespace

at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                           const at::Tensor& bias, double epsilon) {
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat || x.numel() == 0) {
    return at::silu(at::group_norm(x, groups, weight, bias, epsilon));
  }
  const bool learns = at::GradMode::is_enabled() &&
                      (x.requires_grad() || weight.requires_grad() || bias.requires_grad());
  if (learns) return GroupNormSilu::apply(x.contiguous(), weight, bias, groups, epsilon);
  return forward(x.contiguous(), groups, weight, bias, epsilon).y;
}

}  // namespace momap::network
