// SPDX-License-Identifier: Apache-2.0
#include "small_attention.h"

#include <ATen/ATen.h>
#include <momap/base/clones.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "exponential.h"

namespace momap::network {
namespace {

constexpr int64_t kLanes = 16;  // queries that are worked on together, one a lane
constexpr int64_t kMostKeys = 256;
constexpr int64_t kMostWidth = 64;     // of a head
constexpr int64_t kMostValues = 8192;  // keys times width: what stays in the nearest caches

#define MOMAP_INLINE inline __attribute__((always_inline))

/// One head of one example: its queries, keys and values stand `stride` floats apart.
struct Head {
  int64_t rows, keys, width, stride;
  float scale;
};

// A vector type of GCC's: arithmetic is lane by lane, in the widest registers that a clone has.
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t Integers __attribute__((vector_size(kLanes * sizeof(int32_t))));

// Some rows, turned: out[d] holds their numbers d. Lanes beyond `count` repeat the first row.
MOMAP_INLINE void turn(const float* rows, int64_t count, const Head& h, Lanes* out) {
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    const float* const row = rows + (lane < count ? lane : 0) * h.stride;
    for (int64_t d = 0; d < h.width; ++d) out[d][lane] = row[d];
  }
}

MOMAP_INLINE void turn_back(const Lanes* from, int64_t count, const Head& h, float* rows) {
  for (int64_t lane = 0; lane < count; ++lane) {
    for (int64_t d = 0; d < h.width; ++d) rows[lane * h.stride + d] = from[d][lane];
  }
}

// out[j] = sum over d of turned[d] * rows[j][d]
MOMAP_INLINE void products(const Lanes* turned, const float* rows, const Head& h, Lanes* out) {
  for (int64_t j = 0; j < h.keys; ++j) {
    Lanes sum{};
    for (int64_t d = 0; d < h.width; ++d) {
      const float factor = rows[j * h.stride + d];
      sum += turned[d] * factor;
    }
    out[j] = sum;
  }
}

// What each key's value counts for each query; sums to 1 over the keys.
MOMAP_INLINE void shares(const Lanes* queries, const float* keys, const Head& h, Lanes* out) {
  products(queries, keys, h, out);
  Lanes most = out[0];
  for (int64_t j = 1; j < h.keys; ++j) {
    most = out[j] > most ? out[j] : most;
  }
  Lanes sum{};
  for (int64_t j = 0; j < h.keys; ++j) {
    Lanes e = (out[j] - most) * h.scale;
    exponentiate<Integers>(e);
    sum += e;
    out[j] = e;
  }
  const Lanes per_sum = 1 / sum;
  for (int64_t j = 0; j < h.keys; ++j) out[j] *= per_sum;
}

// out[d] = sum over j of factors[j] * rows[j][d]
MOMAP_INLINE void mix(const Lanes* factors, const float* rows, const Head& h, Lanes* out) {
  for (int64_t d = 0; d < h.width; ++d) {
    Lanes sum{};
    for (int64_t j = 0; j < h.keys; ++j) {
      const float factor = rows[j * h.stride + d];
      sum += factors[j] * factor;
    }
    out[d] = sum;
  }
}

MOMAP_CLONES void attend(const float* q, const float* keys, const float* values, const Head& h,
                         float* out) {
  Lanes queries[kMostWidth], share[kMostKeys], mixed[kMostWidth];
  for (int64_t n = 0; n < h.rows; n += kLanes) {
    const int64_t count = h.rows - n < kLanes ? h.rows - n : kLanes;
    turn(q + n * h.stride, count, h, queries);
    shares(queries, keys, h, share);
    mix(share, values, h, mixed);
    turn_back(mixed, count, h, out + n * h.stride);
  }
}

struct Gradients {
  float* by_q;                 // as q
  Lanes *by_keys, *by_values;  // [keys, width], added to; their lanes are to be summed
};

MOMAP_CLONES void attend_backward(const float* q, const float* keys, const float* values,
                                  const float* by_out, const Head& h, const Gradients& out) {
  Lanes queries[kMostWidth], by_mixed[kMostWidth], by_query[kMostWidth];
  Lanes share[kMostKeys], by_score[kMostKeys];
  for (int64_t n = 0; n < h.rows; n += kLanes) {
    const int64_t count = h.rows - n < kLanes ? h.rows - n : kLanes;
    turn(q + n * h.stride, count, h, queries);
    turn(by_out + n * h.stride, count, h, by_mixed);
    for (int64_t d = 0; d < h.width; ++d) {  // lanes that repeat a row give nothing
      for (int64_t lane = count; lane < kLanes; ++lane) by_mixed[d][lane] = 0;
    }
    shares(queries, keys, h, share);
    products(by_mixed, values, h, by_score);  // by the shares
    Lanes mean{};
    for (int64_t j = 0; j < h.keys; ++j) {
      mean += share[j] * by_score[j];
    }
    for (int64_t j = 0; j < h.keys; ++j) {
      by_score[j] = share[j] * (by_score[j] - mean) * h.scale;
    }
    mix(by_score, keys, h, by_query);
    turn_back(by_query, count, h, out.by_q + n * h.stride);
    for (int64_t j = 0; j < h.keys; ++j) {
      for (int64_t d = 0; d < h.width; ++d) {
        out.by_keys[j * h.width + d] += by_score[j] * queries[d];
        out.by_values[j * h.width + d] += share[j] * by_mixed[d];
      }
    }
  }
}

MOMAP_CLONES void sum_lanes(const Lanes* from, const Head& h, float* rows) {
  for (int64_t j = 0; j < h.keys; ++j) {
    for (int64_t d = 0; d < h.width; ++d) {
      const Lanes& lanes = from[j * h.width + d];
      float sum = 0;
      for (int64_t lane = 0; lane < kLanes; ++lane) sum += lanes[lane];
      rows[j * h.stride + d] = sum;
    }
  }
}

/// Calls `act(head, offset of its queries, offset of its keys)` for each head of each example.
template <class Act>
void for_each_head(const at::Tensor& q, const at::Tensor& k, int64_t heads, Act act) {
  const int64_t width = q.size(2) / heads;
  const Head head{q.size(1), k.size(1), width, q.size(2),
                  static_cast<float>(1 / std::sqrt(static_cast<double>(width)))};
  for (int64_t b = 0; b < q.size(0); ++b) {
    for (int64_t i = 0; i < heads; ++i) {
      act(head, b * q.size(1) * q.size(2) + i * width, b * k.size(1) * k.size(2) + i * width);
    }
  }
}

at::Tensor forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads) {
  at::Tensor out = at::empty_like(q);
  for_each_head(q, k, heads, [&](const Head& h, int64_t at_q, int64_t at_k) {
    attend(q.data_ptr<float>() + at_q, k.data_ptr<float>() + at_k, v.data_ptr<float>() + at_k, h,
           out.data_ptr<float>() + at_q);
  });
  return out;
}

class SmallAttention : public torch::autograd::Function<SmallAttention> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q,
                            const at::Tensor& k, const at::Tensor& v, int64_t heads) {
    context->save_for_backward({q, k, v});
    context->saved_data["heads"] = heads;
    return network::forward(q, k, v, heads);
  }

  static std::vector<at::Tensor> backward(torch::autograd::AutogradContext* context,
                                          std::vector<at::Tensor> gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const at::Tensor by_out = gradients[0].contiguous();
    at::Tensor by_q = at::empty_like(q), by_k = at::empty_like(k), by_v = at::empty_like(v);
    const int64_t heads = context->saved_data["heads"].toInt();
    // LibTorch aligns its tensors as the widest vectors need it.
    const at::Tensor lanes = at::empty({2, k.size(1) * q.size(2) / heads * kLanes}, q.options());
    auto* const by_keys = reinterpret_cast<Lanes*>(lanes[0].data_ptr<float>());
    auto* const by_values = reinterpret_cast<Lanes*>(lanes[1].data_ptr<float>());
    for_each_head(q, k, heads, [&](const Head& h, int64_t at_q, int64_t at_k) {
      lanes.zero_();
      attend_backward(q.data_ptr<float>() + at_q, k.data_ptr<float>() + at_k,
                      v.data_ptr<float>() + at_k, by_out.data_ptr<float>() + at_q, h,
                      {by_q.data_ptr<float>() + at_q, by_keys, by_values});
      sum_lanes(by_keys, h, by_k.data_ptr<float>() + at_k);
      sum_lanes(by_values, h, by_v.data_ptr<float>() + at_k);
    });
    return {by_q, by_k, by_v, {}};
  }
};

}  // namespace

bool is_small_attention(const at::Tensor& q, const at::Tensor& k, int64_t heads) {
  return q.device().is_cpu() && q.scalar_type() == at::kFloat && k.size(1) > 0 &&
         k.size(1) <= kMostKeys && q.size(2) / heads <= kMostWidth &&
         k.size(1) * (q.size(2) / heads) <= kMostValues;
}

at::Tensor small_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           int64_t heads) {
  const bool learns =
      at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
  const at::Tensor a = q.contiguous(), b = k.contiguous(), c = v.contiguous();
  return learns ? SmallAttention::apply(a, b, c, heads) : forward(a, b, c, heads);
}

}  // namespace momap::network
