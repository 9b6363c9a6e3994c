// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <momap/base/hash.h>
#include <momap/base/random.h>
#include <momap/plugin/plugin.h>
#include <momap/stage/noise_schedule.h>
#include <momap/stage/torch_threads.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

namespace {

using momap::Backbone;
using momap::BackboneSpec;
using momap::Conditioning;
using momap::NoiseLevel;
using momap::Prediction;

// What a prediction says of the clean latent and of the noise in it.
struct Estimate {
  at::Tensor clean;
  at::Tensor noise;
};

Estimate estimate(const at::Tensor& noisy, const at::Tensor& prediction, Prediction kind,
                  NoiseLevel at) {
  switch (kind) {
    case Prediction::epsilon:
      return {(noisy - at.sigma * prediction) / at.alpha, prediction};
    case Prediction::x0:
      return {prediction, (noisy - at.alpha * prediction) / at.sigma};
    case Prediction::v:
      return {at.alpha * noisy - at.sigma * prediction, at.sigma * noisy + at.alpha * prediction};
  }
  throw std::logic_error("sampling/ddim: a kind of prediction it does not know");
}

at::Tensor gaussian(momap::Random& random, const std::vector<int64_t>& shape) {
  at::Tensor out = at::empty(shape, at::kFloat);
  random.fill_normal({out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

/// Denoising diffusion implicit models (Song, Meng, Ermon 2021) on the cosine schedule, with
/// classifier-free guidance on the text (Ho & Salimans 2022).
class Ddim final : public momap::Sampler {
 public:
  static constexpr bool kUsesSeed = true;

  struct Params {
    int samples = 4;
    int steps = 20;
    double eta = 0;
    double guidance = 1;

    static auto schema() {
      using momap::param;
      return std::tuple{
          param("samples", &Params::samples, "How many latents (K) are drawn.").between(1, 1024),
          param("steps", &Params::steps, "Denoising steps, evenly spaced in noise level.")
              .between(1, 1000),
          param("eta", &Params::eta,
                "Share of fresh noise: 0 = deterministic from the start, 1 = as DDPM.")
              .between(0, 1),
          param("guidance", &Params::guidance,
                "How far the prompt is followed beyond what was learned: 1 = as learned, 0 = "
                "prompt ignored; other "
                "than 1 doubles the time.")
              .between(0, 30),
      };
    }
  };

  explicit Ddim(Params params) : params_(params) {}
  momap::Latent sample(const Backbone& backbone, const momap::Condition& condition,
                       const momap::Context& context) override;

 private:
  at::Tensor predict(const Backbone& backbone, const Conditioning& conditioning,
                     const at::Tensor& noisy, double noise_level) const;
  at::Tensor draw(const Backbone& backbone, const BackboneSpec& spec,
                  const Conditioning& conditioning, uint64_t seed,
                  const momap::Context& context) const;

  Params params_;
};

// With guidance `conditioning` holds two rows: as given and without text.
at::Tensor Ddim::predict(const Backbone& backbone, const Conditioning& conditioning,
                         const at::Tensor& noisy, double noise_level) const {
  const int64_t rows = conditioning.tokens.size(0);
  at::Tensor both = backbone.predict(noisy.expand({rows, -1, -1, -1}).contiguous(),
                                     at::full({rows}, noise_level, at::kFloat), conditioning);
  if (rows == 1) return both;
  const at::Tensor with = both.narrow(0, 0, 1);
  const at::Tensor without = both.narrow(0, 1, 1);
  return without + params_.guidance * (with - without);
}

at::Tensor Ddim::draw(const Backbone& backbone, const BackboneSpec& spec,
                      const Conditioning& conditioning, uint64_t seed,
                      const momap::Context& context) const {
  const std::vector<int64_t> shape{1, spec.channels, conditioning.spatial.size(2),
                                   conditioning.spatial.size(3)};
  momap::Random random(seed);
  at::Tensor x = gaussian(random, shape);
  // Noise predictions say nothing of the clean latent where there is only noise; start just below.
  const double start = spec.prediction == Prediction::epsilon ? 0.999 : 1.0;
  for (int i = 0; i < params_.steps; ++i) {
    context.check_cancelled();
    const double now = start * (1.0 - static_cast<double>(i) / params_.steps);
    const double next = start * (1.0 - static_cast<double>(i + 1) / params_.steps);
    const NoiseLevel from = momap::cosine_schedule(now);
    const NoiseLevel to = momap::cosine_schedule(next);
    const auto [clean, noise] =
        estimate(x, predict(backbone, conditioning, x, now), spec.prediction, from);
    if (i + 1 == params_.steps) {
      x = clean;
      break;
    }
    const double kept = from.alpha / to.alpha;
    const double fresh =
        params_.eta * to.sigma / from.sigma * std::sqrt(std::max(0.0, 1 - kept * kept));
    x = to.alpha * clean + std::sqrt(std::max(0.0, to.sigma * to.sigma - fresh * fresh)) * noise;
    if (fresh > 0) x = x + fresh * gaussian(random, shape);
  }
  return spec.scale.defined() ? x * spec.scale.view({1, -1, 1, 1}) : x;
}

momap::Latent Ddim::sample(const Backbone& backbone, const momap::Condition& condition,
                           const momap::Context& context) {
  Conditioning conditioning = backbone.prepare(condition);
  const BackboneSpec spec = backbone.spec();
  if (params_.guidance != 1) {
    conditioning.spatial = conditioning.spatial.repeat({2, 1, 1, 1});
    conditioning.tokens = at::cat({conditioning.tokens, at::zeros_like(conditioning.tokens)}, 0);
  }
  at::Tensor values = at::empty(
      {params_.samples, spec.channels, conditioning.spatial.size(2), conditioning.spatial.size(3)},
      at::kFloat);
  tbb::parallel_for(0, params_.samples, [&](int k) {
    momap::keep_torch_on_this_thread();
    const at::NoGradGuard no_grad;
    const uint64_t seed = momap::derived_seed(context.seed, fmt::format("sample {}", k));
    values[k].copy_(draw(backbone, spec, conditioning, seed, context)[0]);
  });
  if (!at::isfinite(values).all().item<bool>()) {
    throw momap::DataError(
        "sampling/ddim: the backbone predicts values that are not finite; are its weights those of "
        "a finished training, and is the condition's depth sound?");
  }
  momap::LatentSpec latent = spec.latent;
  latent.height = condition.image.size(0);
  latent.width = condition.image.size(1);
  return {values, latent};
}

}  // namespace

MOMAP_PLUGIN(Ddim, "sampling/ddim", 1,
             "Denoises in few steps, deterministic from its first noise.");
