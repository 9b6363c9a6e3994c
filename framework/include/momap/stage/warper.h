// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/image.h>
#include <momap/data/momap.h>
#include <momap/data/partial_clip.h>
#include <momap/stage/stage.h>

namespace momap {

/// Moves the reference image along a motion map, seen from the reference camera. What cannot be
/// seen from the image stays uncovered; every point that is not drawn is counted.
class Warper : public Stage {
 public:
  /// Throws DataError when image and map differ in size.
  virtual PartialClip warp(const Image& image, const MoMap& momap, const Context& context) = 0;
};

}  // namespace momap
