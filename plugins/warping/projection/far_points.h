// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/momap.h>
#include <momap/params/params.h>

#include <string>

namespace momap::warping {

/// The parameter `unknown_depth` of a warper.
template <class Params>
auto unknown_depth_param(std::string Params::*member) {
  return param("unknown_depth", member,
               "Pixels whose depth is unknown in the reference view, such as sky: shown as if they "
               "stood still behind all else (far), or left out (hole).")
      .one_of({"far", "hole"});
}

/// The map as a warper draws it: with `unknown_depth` = far, pixels whose depth in frame 0 is 0
/// stand still on their rays, twice as far away as the farthest point of the map in any frame. A
/// map without any valid point stays as it is.
MoMap to_draw(const MoMap& momap, const std::string& unknown_depth);

}  // namespace momap::warping
