// SPDX-License-Identifier: Apache-2.0
#include <momap/base/error.h>
#include <momap/data/condition.h>
#include <momap/data/geometry.h>

namespace momap {

Condition Condition::from(const Clip& clip) {
  if (!clip.depth) {
    throw DataError(
        "the clip has no depth, which a condition needs for its point map; add an annotation step "
        "that gives depth, or use a source that has it");
  }
  if (!clip.camera) {
    throw DataError(
        "the clip has no camera, which a condition needs for its point map; add an annotation step "
        "that gives the camera, or use a source that has it");
  }
  return {.image = clip.frames[0].contiguous(),
          .points = unproject((*clip.depth)[0], *clip.camera),
          .camera = *clip.camera,
          .segments = clip.segments,
          .text = clip.caption};
}

}  // namespace momap
