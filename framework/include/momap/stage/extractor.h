// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/momap.h>
#include <momap/stage/stage.h>

namespace momap {

/// Measures the motion map of a clip on the pixel grid of its frame 0, camera motion taken out.
///
/// Pixels without evidence are left out of `valid`, never filled with zeros.
class Extractor : public Stage {
 public:
  virtual MoMap extract(const Clip& clip, const Context& context) = 0;
};

}  // namespace momap
