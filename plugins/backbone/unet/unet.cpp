// SPDX-License-Identifier: Apache-2.0
#include <momap/plugin/plugin.h>
#include <trained_backbone.h>

#include "network.h"

namespace {

using denoiser::DenoiserParams;

/// A convolutional denoiser.
class UNet final : public denoiser::TrainedBackbone {
 public:
  struct Params : DenoiserParams {
    int width = 0;
    int levels = 0;
    int blocks = 0;
    int attention = 0;

    static auto schema() {
      using momap::param;
      return std::tuple_cat(
          DenoiserParams::schema(),
          std::tuple{
              param("width", &Params::width,
                    "Channels at full resolution, a multiple of 8; twice to four times that below. "
                    "0: as the checkpoint says, or 32.")
                  .between(0, 512),
              param("levels", &Params::levels,
                    "Resolutions, each half of the one above. 0: as the checkpoint says, or 3.")
                  .between(0, 6),
              param("blocks", &Params::blocks,
                    "Residual blocks a level, down and up. 0: as the checkpoint says, or 1.")
                  .between(0, 8),
              param("attention", &Params::attention,
                    "How many of the lowest levels attend to themselves and the words. 0: as the "
                    "checkpoint says, or 1.")
                  .between(0, 6),
          });
    }
  };

  explicit UNet(const Params& params)
      : TrainedBackbone({"backbone/unet", unet::shape_numbers(),
                         [](const denoiser::Shape& shape, uint64_t seed) {
                           return std::make_shared<unet::Network>(shape, seed);
                         }},
                        params,
                        denoiser::given({{"width", params.width},
                                         {"levels", params.levels},
                                         {"blocks", params.blocks},
                                         {"attention", params.attention}})) {}
};

}  // namespace

MOMAP_PLUGIN(UNet, "backbone/unet", 1,
             "A convolutional denoiser that sees image, point map, segments and prompt.");
