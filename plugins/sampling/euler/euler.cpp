// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "draw.h"

namespace {

/// Euler's method (Karras et al. 2022, order 1; Lipman et al. 2023).
class Euler final : public momap::Sampler {
 public:
  static constexpr bool kUsesSeed = true;
  using Params = sampling::KarrasParams;

  explicit Euler(Params params) : params_(std::move(params)) {}

  momap::Latent sample(const momap::Backbone& backbone, const momap::Condition& condition,
                       const momap::Context& context) override {
    const momap::BackboneSpec spec = backbone.spec();
    const auto steps =
        sampling::euler_steps(spec.schedule, spec.prediction, params_.step_options(params_.karras));
    const auto solve = [](const at::Tensor& x, const sampling::Steps& s,
                          const sampling::Denoise& denoise,
                          const sampling::Noise&) { return sampling::euler(x, s, denoise); };
    return sampling::draw("sampling/euler", backbone, condition, context, params_, steps, solve);
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Euler, "sampling/euler", 1,
             "Euler's method on the probability-flow equation; with flow matching its plain step.");
