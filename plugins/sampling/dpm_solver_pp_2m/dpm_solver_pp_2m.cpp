// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "draw.h"

namespace {

/// DPM-Solver++(2M) (Lu et al. 2022).
class DpmSolverPp2m final : public momap::Sampler {
 public:
  static constexpr bool kUsesSeed = true;
  using Params = sampling::KarrasParams;

  explicit DpmSolverPp2m(Params params) : params_(std::move(params)) {}

  momap::Latent sample(const momap::Backbone& backbone, const momap::Condition& condition,
                       const momap::Context& context) override {
    const momap::BackboneSpec spec = backbone.spec();
    const auto steps = sampling::dpm_solver_steps(spec.schedule, spec.prediction,
                                                  params_.step_options(params_.karras));
    const auto solve = [](const at::Tensor& x, const sampling::Steps& s,
                          const sampling::Denoise& denoise, const sampling::Noise&) {
      return sampling::dpm_solver_pp_2m(x, s, denoise);
    };
    return sampling::draw("sampling/dpm_solver_pp_2m", backbone, condition, context, params_, steps,
                          solve);
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(DpmSolverPp2m, "sampling/dpm_solver_pp_2m", 1,
             "Second-order multistep solver: one prediction a step, good in 10 to 20.");
