// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <momap/plugin/plugin.h>

#include "example_backbone.h"

namespace {

/// The mean latent of the training examples, place by place, whatever the scene: the control row
/// `mean_motion`. What a model knows of a scene shows in what it is better.
class MeanMotion final : public ExampleBackbone {
 public:
  struct Params {
    std::string examples;

    static auto schema() {
      return std::tuple{momap::param("examples", &Params::examples,
                                     "Folder of example files, as `momap train` leaves it.")
                            .required()};
    }
  };

  explicit MeanMotion(const Params& params) {
    at::Tensor sum;  // f64 [C, h, w]; of the first example's size
    int64_t count = 0;
    read("backbone/mean_motion", params.examples, [&](const momap::ExampleFile& example) {
      at::Tensor latents = example.latents.to(at::kDouble);
      if (sum.defined() && latents.sizes().slice(2) != sum.sizes().slice(1))
        latents = resized(latents, sum.size(1), sum.size(2));
      const at::Tensor total = latents.sum(0);
      sum = sum.defined() ? sum + total : total;
      count += latents.size(0);
    });
    mean_ = (sum / static_cast<double>(count)).to(at::kFloat);
  }

  momap::Conditioning prepare(const momap::Condition& condition) const override {
    const auto [h, w] = cells(condition);
    return {resized(mean_.unsqueeze(0), h, w), at::zeros({1, 1}, at::kLong)};
  }

  at::Tensor predict(const at::Tensor& noisy, const at::Tensor&,
                     const momap::Conditioning& conditioning) const override {
    check(noisy, conditioning.spatial);
    return conditioning.spatial;
  }

 private:
  static at::Tensor resized(const at::Tensor& grids, int64_t h, int64_t w) {
    return at::upsample_bilinear2d(grids, {h, w}, /*align_corners=*/false);
  }

  at::Tensor mean_;  // f32 [C, h, w]
};

}  // namespace

MOMAP_PLUGIN(MeanMotion, "backbone/mean_motion", 1,
             "Predicts the mean of the training examples for every scene: a control.");
