// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>

#include "draw.h"

namespace {

/// Denoising diffusion implicit models (Song, Meng, Ermon 2021).
class Ddim final : public momap::Sampler {
 public:
  static constexpr bool kUsesSeed = true;

  struct Params : sampling::DrawParams {
    double eta = 0;
    double clip = 0;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          DrawParams::schema(),
          std::tuple{
              param("eta", &Params::eta,
                    "Share of fresh noise: 0 = deterministic from the start, 1 = as DDPM.")
                  .between(0, 1),
              param("clip", &Params::clip,
                    "Largest absolute value of a clean latent, in units of the training set's root "
                    "mean square; 0: not bounded.")
                  .at_least(0),
          });
    }
  };

  explicit Ddim(Params params) : params_(std::move(params)) {}

  momap::Latent sample(const momap::Backbone& backbone, const momap::Condition& condition,
                       const momap::Context& context) override {
    const momap::BackboneSpec spec = backbone.spec();
    const auto steps = sampling::ddim_steps(spec.schedule, spec.prediction, params_.step_options());
    const auto solve = [&](const at::Tensor& x, const sampling::Steps& s,
                           const sampling::Denoise& denoise, const sampling::Noise& noise) {
      return sampling::ddim(x, s, denoise, params_.eta, params_.clip, noise);
    };
    return sampling::draw("sampling/ddim", backbone, condition, context, params_, steps, solve);
  }

 private:
  Params params_;
};

}  // namespace

MOMAP_PLUGIN(Ddim, "sampling/ddim", 2,
             "Denoises in few steps, deterministic from its first noise.");
