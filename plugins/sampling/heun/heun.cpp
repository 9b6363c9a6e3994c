// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "draw.h"

namespace {

/// Heun's second-order method (Karras et al. 2022).
class Heun final : public momap::Sampler {
 public:
  static constexpr bool kUsesSeed = true;
  using Params = sampling::KarrasParams;

  explicit Heun(Params params) : params_(std::move(params)) {}

  momap::Latent sample(const momap::Backbone& backbone, const momap::Condition& condition,
                       const momap::Context& context) override {
    const momap::BackboneSpec spec = backbone.spec();
    const auto steps =
        sampling::euler_steps(spec.schedule, spec.prediction, params_.step_options(params_.karras));
    const auto solve = [](const at::Tensor& x, const sampling::Steps& s,
                          const sampling::Denoise& denoise,
                          const sampling::Noise&) { return sampling::heun(x, s, denoise); };
    return sampling::draw("sampling/heun", backbone, condition, context, params_, steps, solve);
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Heun, "sampling/heun", 1,
             "Heun's second-order method: two predictions a step, fewer steps.");
