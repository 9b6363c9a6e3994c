// SPDX-License-Identifier: Apache-2.0
#include "world.h"

namespace momap::synthetic {

int World::add(Mesh mesh, int segment, const Pose& rest, bool moves) {
  Part part;
  part.mesh = std::move(mesh);
  part.segment = segment;
  part.rest = rest;
  part.mover = moves ? static_cast<int>(movers.size()) : -1;
  parts.push_back(std::move(part));
  return static_cast<int>(parts.size()) - 1;
}

}  // namespace momap::synthetic
