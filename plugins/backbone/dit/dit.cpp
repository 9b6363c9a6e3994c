// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/plugin/plugin.h>
#include <trained_backbone.h>

#include "transformer.h"

namespace {

using denoiser::DenoiserParams;
using denoiser::Shape;

std::shared_ptr<denoiser::Network> make_transformer(const Shape& shape, uint64_t seed) {
  if (shape.at("width") % shape.at("heads") != 0) {
    throw momap::ConfigError(
        fmt::format("backbone/dit: 'width' = {} is not a multiple of 'heads' = {}",
                    shape.at("width"), shape.at("heads")));
  }
  return std::make_shared<dit::Transformer>(shape, seed);
}

/// A denoiser of tokens that all attend to one another.
class Dit final : public denoiser::TrainedBackbone {
 public:
  struct Params : DenoiserParams {
    int width = 0;
    int layers = 0;
    int heads = 0;
    int patch = 0;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          DenoiserParams::schema(),
          std::tuple{
              param("width", &Params::width,
                    "Channels of a token, a multiple of 32. 0: as the checkpoint says, or 192.")
                  .between(0, 2048),
              param("layers", &Params::layers, "0: as the checkpoint says, or 6.").between(0, 64),
              param("heads", &Params::heads,
                    "Heads of attention, a divisor of `width`. 0: as the checkpoint says, or 6.")
                  .between(0, 32),
              param("patch", &Params::patch,
                    "Latent cells a token along each side; time falls with its fourth power where "
                    "attention dominates. 0: as the checkpoint says, or 1.")
                  .between(0, 8),
          });
    }
  };

  explicit Dit(const Params& params)
      : TrainedBackbone({"backbone/dit", dit::shape_numbers(), make_transformer}, params,
                        denoiser::given({{"width", params.width},
                                         {"layers", params.layers},
                                         {"heads", params.heads},
                                         {"patch", params.patch}})) {}
};

}  // namespace

MOMAP_PLUGIN(Dit, "backbone/dit", 1,
             "A diffusion transformer that sees image, point map, segments and prompt.");
