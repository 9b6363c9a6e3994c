// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/condition.h>
#include <momap/data/latent.h>
#include <momap/data/momap.h>
#include <momap/stage/stage.h>

namespace momap {

/// Turns motion maps into latents and back; both directions in one object because they must agree.
class Encoding : public Stage {
 public:
  /// K = 1.
  virtual Latent encode(const MoMap& momap, const Context& context) = 0;

  /// `latent` has K = 1; `condition` gives the first frame (its points) and the camera. Throws
  /// DataError when the latent was made by another encoding, version or normalisation.
  virtual MoMap decode(const Latent& latent, const Condition& condition,
                       const Context& context) = 0;
};

}  // namespace momap
