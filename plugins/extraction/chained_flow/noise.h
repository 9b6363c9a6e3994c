// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "point_path.h"

namespace momap {

/// Robust deviation of depth at places of static points, relative, from every eighth pixel in both
/// directions: most of what a clip shows stands still.
double depth_noise(const Evidence& evidence);

/// For each frame, by how many px flow straight from frame 0 misses where poses and depth put
/// points that stand still: what poses, synchronisation and calibration are off by. Taken from the
/// quarter of the pixels that is nearest, so that up to three quarters may move; 0 where it is not
/// known.
std::vector<double> place_noise(const Evidence& evidence);

}  // namespace momap
