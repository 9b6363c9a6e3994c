// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>
#include <momap/data/partial_clip.h>
#include <momap/stage/stage.h>

namespace momap {

/// Fills the pixels that are not covered. Covered pixels pass through bit for bit; the clip's
/// `covered` tells which.
class Completer : public Stage {
 public:
  virtual Clip complete(const PartialClip& partial, const Context& context) = 0;
};

}  // namespace momap
