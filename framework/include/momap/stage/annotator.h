// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/stage/stage.h>

namespace momap {

/// Adds knowledge to a clip: depth, camera, poses, segments or caption. Everything else passes
/// through unchanged.
class Annotator : public Stage {
 public:
  virtual Clip annotate(const Clip& clip, const Context& context) = 0;
};

}  // namespace momap
