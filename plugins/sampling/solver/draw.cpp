// SPDX-License-Identifier: Apache-2.0
#include "draw.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <momap/stage/torch_threads.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace sampling {
namespace {

using momap::Conditioning;

// The predictions a step needs, by what of the condition is shown, with their weights.
struct Share {
  bool text;
  bool image;
  double weight;
};

std::vector<Share> guidance_shares(const DrawParams& params) {
  const double text = params.guidance;
  const double image = params.image_guidance;
  const std::vector<Share> all{
      {true, true, text}, {false, true, image - text}, {false, false, 1 - image}};
  std::vector<Share> used;
  std::ranges::copy_if(all, std::back_inserter(used), [](const Share& s) { return s.weight != 0; });
  return used;
}

at::Tensor repeated(const at::Tensor& row, int64_t times) {
  std::vector<int64_t> counts(static_cast<size_t>(row.dim()), 1);
  counts[0] = times;
  return row.repeat(counts);
}

// `given` once for every share and latent of a batch, without what the share does not show.
Conditioning rows_of(const Conditioning& given, const std::vector<Share>& shares, int64_t batch) {
  const auto rows = [&](const at::Tensor& part, bool Share::*shown) {
    if (!part.defined()) return part;
    std::vector<at::Tensor> all;
    for (const Share& share : shares) {
      all.push_back(repeated(share.*shown ? part : at::zeros_like(part), batch));
    }
    return at::cat(all);
  };
  return {rows(given.spatial, &Share::image), rows(given.tokens, &Share::text),
          rows(given.text, &Share::text)};
}

at::Tensor guided(const at::Tensor& predictions, const std::vector<Share>& shares, int64_t batch) {
  if (shares.size() == 1 && shares[0].weight == 1) return predictions;
  at::Tensor sum = predictions.narrow(0, 0, batch) * shares[0].weight;
  for (size_t i = 1; i < shares.size(); ++i) {
    const auto first = static_cast<int64_t>(i) * batch;
    sum = sum + predictions.narrow(0, first, batch) * shares[i].weight;
  }
  return sum;
}

// One stream of noise for each latent of a batch.
class BatchNoise {
 public:
  BatchNoise(uint64_t seed, int64_t first, int64_t batch, std::vector<int64_t> shape)
      : shape_(std::move(shape)) {
    for (int64_t k = first; k < first + batch; ++k) {
      streams_.emplace_back(momap::derived_seed(seed, fmt::format("sample {}", k)));
    }
  }

  at::Tensor operator()() {
    at::Tensor out = at::empty(shape_, at::kFloat);
    const size_t each = static_cast<size_t>(out.numel()) / streams_.size();
    for (size_t i = 0; i < streams_.size(); ++i) {
      streams_[i].fill_normal({out.data_ptr<float>() + i * each, each});
    }
    return out;
  }

 private:
  std::vector<int64_t> shape_;
  std::vector<momap::Random> streams_;
};

}  // namespace

StepOptions DrawParams::step_options(bool karras) const {
  const Spacing place = spacing == "leading"    ? Spacing::leading
                        : spacing == "linspace" ? Spacing::linspace
                                                : Spacing::trailing;
  return {steps, place, offset, karras, end == "clean"};
}

momap::Latent draw(const std::string& plugin, const momap::Backbone& backbone,
                   const momap::Condition& condition, const momap::Context& context,
                   const DrawParams& params, const Steps& steps, const Solve& solve) {
  const Conditioning given = backbone.prepare(condition);
  const momap::BackboneSpec spec = backbone.spec();
  const std::vector<Share> shares = guidance_shares(params);
  const int64_t batch = params.batch;
  const Conditioning conditioning = rows_of(given, shares, batch);
  const auto rows = static_cast<int64_t>(shares.size()) * batch;
  const std::vector<int64_t> shape{batch, spec.channels, given.spatial.size(2),
                                   given.spatial.size(3)};

  const auto draw_batch = [&](int64_t first) {
    BatchNoise noise(context.seed, first, batch, shape);
    const Denoise denoise = [&](const at::Tensor& x, double time, momap::NoiseLevel level) {
      context.check_cancelled();
      const at::Tensor predictions =
          backbone.predict(repeated(x, static_cast<int64_t>(shares.size())),
                           at::full({rows}, time, at::kFloat), conditioning);
      return estimate(x, guided(predictions, shares, batch), spec.prediction, level);
    };
    const at::Tensor x = solve(noise() * steps.start, steps, denoise, [&] { return noise(); });
    return spec.scale.defined() ? x * spec.scale.view({1, -1, 1, 1}) : x;
  };

  at::Tensor values = at::empty({params.samples, shape[1], shape[2], shape[3]}, at::kFloat);
  const int64_t batches = (params.samples + batch - 1) / batch;
  tbb::parallel_for(int64_t{0}, batches, [&](int64_t b) {
    momap::keep_torch_on_this_thread();
    const at::NoGradGuard no_grad;
    const int64_t count = std::min(batch, params.samples - b * batch);
    values.narrow(0, b * batch, count).copy_(draw_batch(b * batch).narrow(0, 0, count));
  });
  if (!at::isfinite(values).all().item<bool>()) {
    throw momap::DataError(fmt::format(
        "{}: the backbone predicts values that are not finite; are its weights those of a finished "
        "training, and is the condition's depth sound?",
        plugin));
  }
  momap::LatentSpec latent = spec.latent;
  latent.height = condition.image.size(0);
  latent.width = condition.image.size(1);
  return {values, latent};
}

}  // namespace sampling
