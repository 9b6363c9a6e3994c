// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/condition.h>
#include <momap/data/latent.h>
#include <momap/stage/backbone.h>
#include <momap/stage/stage.h>

namespace momap {

/// Draws K latents. Sample k depends on `context.seed` and k alone, whatever K, the batch or the
/// thread count.
class Sampler : public Stage {
 public:
  virtual Latent sample(const Backbone& backbone, const Condition& condition,
                        const Context& context) = 0;
};

}  // namespace momap
