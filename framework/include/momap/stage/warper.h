// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/image.h>
#include <momap/data/momap.h>
#include <momap/data/partial_clip.h>
#include <momap/data/view.h>
#include <momap/stage/stage.h>

namespace momap {

/// Moves the reference image along a motion map and shows it from a view. What cannot be seen from
/// the image stays uncovered; every point that no pixel shows is counted.
class Warper : public Stage {
 public:
  /// The frames have the size of `view.camera`. Throws DataError when image and map differ in size.
  virtual PartialClip warp(const Image& image, const MoMap& momap, const View& view,
                           const Context& context) = 0;

  /// As the reference camera sees it.
  PartialClip warp(const Image& image, const MoMap& momap, const Context& context) {
    return warp(image, momap, {momap.camera, std::nullopt}, context);
  }
};

}  // namespace momap
