// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <momap/data/clip.h>

#include <opencv2/core/matx.hpp>
#include <string>
#include <vector>

namespace momap {

/// Throws DataError that names what of depth, camera and poses the clip lacks; `plugin` asks.
void check_can_be_lifted(const Clip& clip, const std::string& plugin);

/// Between the camera of each frame and that of frame 0, rigid; identities without poses.
struct FramePoses {
  std::vector<cv::Matx44d> camera_from_first, first_from_camera;  // [T]
};
FramePoses frame_poses(const Clip& clip);

}  // namespace momap
