// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <momap/data/camera.h>
#include <momap/data/tracks.h>

#include <Eigen/Geometry>
#include <filesystem>
#include <optional>
#include <vector>

namespace momap::formats {

/// Point tracks of a clip as data sets give them.
struct RawTracks {
  at::Tensor xyz;      // f32 [T, N, 3], metres, in the camera of each frame
  at::Tensor visible;  // bool [T, N]
  at::Tensor valid;    // bool [T, N]; a point that is not finite is never valid
  at::Tensor queries;  // f64 [N, 3]: x px, y px, index of the clip's frame; -1 = none in this clip
};

/// Tracks in the camera frame of frame 0. A point without query gets one where it is first seen
/// (its projection); one that is never seen and known is left out. nullopt when none is left.
std::optional<Tracks> tracks_in_first_frame(const RawTracks& raw,
                                            const std::vector<Eigen::Isometry3d>& cam_from_world,
                                            const Camera& camera);

}  // namespace momap::formats
