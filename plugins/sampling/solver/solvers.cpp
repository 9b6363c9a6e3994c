// SPDX-License-Identifier: Apache-2.0
#include "solvers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace sampling {
namespace {

using momap::NoiseLevel;
using momap::Prediction;

constexpr size_t kFewSteps = 15;

at::Tensor at_level(const Estimate& e, NoiseLevel level) {
  return level.sigma == 0 ? level.alpha * e.clean : level.alpha * e.clean + level.sigma * e.noise;
}

}  // namespace

Estimate estimate(const at::Tensor& noisy, const at::Tensor& prediction, Prediction kind,
                  NoiseLevel at) {
  switch (kind) {
    case Prediction::epsilon:
      return {(noisy - at.sigma * prediction) / at.alpha, prediction};
    case Prediction::x0:
      return {prediction, (noisy - at.alpha * prediction) / at.sigma};
    case Prediction::v:
      return {at.alpha * noisy - at.sigma * prediction, at.sigma * noisy + at.alpha * prediction};
    case Prediction::flow: {
      const double sum = at.alpha + at.sigma;
      return {(noisy - at.sigma * prediction) / sum, (noisy + at.alpha * prediction) / sum};
    }
  }
  throw std::logic_error("sampling: a kind of prediction it does not know");
}

at::Tensor ddim(at::Tensor x, const Steps& steps, const Denoise& denoise, double eta, double clip,
                const Noise& fresh_noise) {
  for (const auto& [time, from, to] : steps.list) {
    Estimate e = denoise(x, time, from);
    if (clip > 0) e.clean = at::clamp(e.clean, -clip, clip);
    const double kept = from.alpha / to.alpha;
    const double fresh = eta * to.sigma / from.sigma * std::sqrt(std::max(0.0, 1 - kept * kept));
    x = at_level(e, {to.alpha, std::sqrt(std::max(0.0, to.sigma * to.sigma - fresh * fresh))});
    if (fresh > 0) x = x + fresh * fresh_noise();
  }
  return x;
}

at::Tensor euler(at::Tensor x, const Steps& steps, const Denoise& denoise) {
  for (const auto& [time, from, to] : steps.list) x = at_level(denoise(x, time, from), to);
  return x;
}

at::Tensor heun(at::Tensor x, const Steps& steps, const Denoise& denoise) {
  const auto share = [](NoiseLevel level) { return level.sigma / (level.alpha + level.sigma); };
  for (size_t i = 0; i < steps.list.size(); ++i) {
    const auto& [time, from, to] = steps.list[i];
    const Estimate first = denoise(x, time, from);
    at::Tensor predicted = at_level(first, to);
    if (i + 1 == steps.list.size()) return predicted;
    const Estimate second = denoise(predicted, steps.list[i + 1].time, to);
    const at::Tensor slope = 0.5 * ((first.noise - first.clean) + (second.noise - second.clean));
    const at::Tensor y = x / (from.alpha + from.sigma) + (share(to) - share(from)) * slope;
    x = (to.alpha + to.sigma) * y;
  }
  return x;
}

at::Tensor dpm_solver_pp_2m(at::Tensor x, const Steps& steps, const Denoise& denoise) {
  const auto lambda = [](NoiseLevel level) {
    return std::log(level.alpha) - std::log(level.sigma);
  };
  at::Tensor last_clean;
  for (size_t i = 0; i < steps.list.size(); ++i) {
    const auto& [time, from, to] = steps.list[i];
    const at::Tensor clean = denoise(x, time, from).clean;
    const bool last = i + 1 == steps.list.size();
    const double h = lambda(to) - lambda(from);  // infinite from pure noise and to clean
    at::Tensor used = clean;
    if (i > 0 && !(last && (to.sigma == 0 || steps.list.size() < kFewSteps))) {
      const double before = lambda(from) - lambda(steps.list[i - 1].from);
      used = clean + (0.5 * h / before) * (clean - last_clean);
    }
    x = (to.sigma / from.sigma) * x - to.alpha * std::expm1(-h) * used;
    last_clean = clean;
  }
  return x;
}

}  // namespace sampling
